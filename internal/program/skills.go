package program

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
)

// skillsExtension is the identifier of the extension for Agent Skills, SEP-2640.
const skillsExtension = "io.modelcontextprotocol/skills"

// addSkills offers the skills to clients that know the extension, and their files
// as resources to all.
func addSkills(o *serve.Options) {
	o.Resources = append(o.Resources, servedResources(tools.SkillResources())...)
	o.Extensions[skillsExtension] = map[string]any{"directoryRead": true}
	o.Methods["skills/list"] = skillsMethod("", func(string) (map[string]any, bool) { return tools.ListSkills(), true })
	o.Methods["skills/get"] = skillsMethod("skill", tools.GetSkill)
	o.Methods["resources/directory/read"] = skillsMethod("directory", tools.ReadSkillDirectory)
}

// skillsMethod returns a method whose result depends on params.uri, which must be
// that of a thing of some kind. A method without a kind ignores it. All of a
// result comes in one page, so no cursor is valid.
func skillsMethod(kind string, result func(uri string) (map[string]any, bool)) serve.Method {
	return serve.Method{Scope: access.ScopeNone, Call: func(_ context.Context, _ access.Caller, raw json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails) {
		var params struct{ URI, Cursor any }
		_ = json.Unmarshal(raw, &params) // an object, or nil
		uri, _ := params.URI.(string)
		r, ok := result(uri)
		switch {
		case !ok:
			return nil, nil, invalid(fmt.Sprintf("there is no %s %.200q; skills/list has all skills, with their files", kind, uri))
		case params.Cursor != nil && params.Cursor != "":
			return nil, nil, invalid("there is no such page; the result has one page")
		}
		r["ttlMs"], r["cacheScope"] = serve.CacheMilliseconds, mcp.CacheScopePublic
		return r, nil, nil
	}}
}

func invalid(message string) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: mcp.INVALID_PARAMS, Message: message}
}
