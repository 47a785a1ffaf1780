package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var updateWebhookConfiguration = operation[schemas.UpdateWebhookConfigurationInput]{
	contract: schemas.UpdateWebhookConfiguration,
	title:    "Update the webhook configuration of the account or a Service",
	description: "Changes what every conversation of the Twilio account, or of one of its Services, does: ask the user first. " +
		"For a single conversation, give it a webhook of its own. " +
		"What is left out stays as it is, and nothing can be cleared. Fetch the configuration first, so that it can be restored.",
	hints:        hints{destructive: true, idempotent: true},
	scope:        scopeWrite,
	refusesEmpty: true,
	reconciled:   "Twilio's response to the update was lost, but the configuration was read afterwards and shows what was asked for.",
	notFound:     checkService,
	lost:         lostConfiguration,
	question:     askAboutConfiguration,
	check:        checkConfigurationUpdate,
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.UpdateWebhookConfigurationInput) (twilioapi.Result, error) {
		return twilio.UpdateWebhookConfiguration(ctx, parametersOf(in))
	},
}

func checkConfigurationUpdate(in schemas.UpdateWebhookConfigurationInput, problems *problems) {
	for name, url := range map[string]string{"PreWebhookUrl": in.PreWebhookURL, "PostWebhookUrl": in.PostWebhookURL} {
		if url != "" {
			problems.addURL(name, &url)
		}
	}
	switch {
	case len(*problems) > 0:
	case in.Method == "" && in.Filters == nil && in.PreWebhookURL == "" && in.PostWebhookURL == "" && in.Target == "":
		problems.addGeneral("At least one of Method, Filters, PreWebhookUrl, PostWebhookUrl and Target is required.")
	case in.Target != "" && in.ChatServiceSid != "":
		problems.addGeneral("Target is the account's only: leave out Target or ChatServiceSid.")
	}
}

// askAboutConfiguration shows the old value and the new one of what is given.
func askAboutConfiguration(ctx context.Context, twilio *twilioapi.Client, in schemas.UpdateWebhookConfigurationInput) (question, error) {
	result, err := twilio.Read(ctx, configurationOf(in.ChatService), parametersOf(in.ChatService))
	if err != nil {
		return question{info: result.Info}, err
	}
	text := "Change the webhooks of all conversations of the " + cmp.Or(strings.Replace(in.ChatServiceSid, "IS", "Service IS", 1), "account") + "?"
	before, given := newResource(result.JSON), parametersOf(in)
	for _, p := range []struct{ name, member string }{
		{"Method", "method"}, {"Filters", "filters"}, {"PreWebhookUrl", "pre_webhook_url"}, {"PostWebhookUrl", "post_webhook_url"}, {"Target", "target"},
	} {
		if given.Has(p.name) {
			old := append(before.texts(p.member), before.text(p.member))
			text += fmt.Sprintf("\n%s: %s → %s", p.name, cmp.Or(joinTexts(old), "nothing"), joinTexts(given[p.name]))
		}
	}
	return question{text: text, about: about(in, result.JSON), unchanged: result.JSON, info: result.Info}, nil
}

// joinTexts joins those texts that are not empty, without passwords.
func joinTexts(texts []string) string {
	shown := slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return text == "" })
	for i, text := range shown {
		shown[i] = oneLine(withoutPassword(text), maxText)
	}
	return strings.Join(shown, ", ")
}
