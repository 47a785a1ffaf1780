// Package serve is how the tools are reached: MCP over stdio and over
// streamable HTTP, and the one log line a call.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Name is the server's name in the protocol.
const Name = "twilio-conversations-mcp"

// New returns an MCP server that offers the tools. It keeps nothing about its
// clients, so the transports may share it.
func New(version, instructions string, tools []server.ServerTool, log *slog.Logger) *server.MCPServer {
	s := server.NewMCPServer(Name, version,
		server.WithTitle("Twilio conversation webhooks"),
		server.WithInstructions(instructions),
		// The tools never change. Were that not said, clients would wait for
		// news of them on streams that hold up the end of the process.
		server.WithToolCapabilities(false),
		server.WithToolHandlerMiddleware(watch(log)),
	)
	s.AddTools(tools...)
	return s
}

// watch writes one line a call, and turns a panic into an answer that tells
// nothing of it.
func watch(log *slog.Logger) server.ToolHandlerMiddleware {
	return func(next server.ToolHandlerFunc) server.ToolHandlerFunc {
		return func(ctx context.Context, req mcp.CallToolRequest) (result *mcp.CallToolResult, err error) {
			start := time.Now()
			defer func() {
				if p := recover(); p != nil {
					log.Error("panic", "tool", req.Params.Name, "panic", p, "stack", string(debug.Stack()))
					result, err = nil, errInternal
				}
				outcome := "ok"
				if err != nil || result.IsError {
					outcome = "error"
				}
				log.Info("call", "tool", req.Params.Name, "outcome", outcome,
					"duration", time.Since(start).Round(time.Microsecond))
			}()
			return next(ctx, req)
		}
	}
}

var errInternal = errors.New("internal error; the server's log has the details")
