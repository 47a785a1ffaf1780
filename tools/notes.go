package tools

import (
	"cmp"
	"slices"
	"strings"

	"twilio-conversations-mcp/twilioapi"
)

const createReconciled = "Twilio's response to the create was lost, but the webhook was found by listing: " +
	"it matches what was asked for, and was created after this call began. Do not create it again."

// notes say what a model cannot see in Twilio's JSON.
func (e *explainer) notes(r twilioapi.Result) (notes []string) {
	if r.Info.Reconciled {
		notes = append(notes, e.reconciled)
	}
	if e.ensures {
		notes = append(notes, ensureNote(r))
	}
	if len(r.Differs) > 0 {
		notes = append(notes, "Twilio carried out the call, but "+cmp.Or(e.lost.subject, "the webhook")+" does not match the request in "+
			strings.Join(r.Differs, ", ")+". Tell the user, and do not repeat the call.")
	}
	if len(r.Ignored) > 0 {
		notes = append(notes, "Ignored, because the target does not use it: "+strings.Join(r.Ignored, ", ")+".")
	}
	return notes
}

// ensureNote says whether an ensure created the webhook, and what a user may not
// expect of it.
func ensureNote(r twilioapi.Result) string {
	if r.Existing {
		return existingNote(r)
	}
	if len(r.Similar) == 0 {
		return "Created."
	}
	var others []string
	for _, s := range r.Similar {
		others = append(others, describeSimilar(s)+" (differs in "+strings.Join(s.Differs, ", ")+describeEvents(s)+")")
	}
	return "Created. Note: " + strings.Join(others, "; ") + ", so what matches both is delivered twice. " +
		"Tell the user; if they do not want two, delete the new one, or keep it and update or delete the other."
}

func existingNote(r twilioapi.Result) string {
	found, advice := "An identical webhook was already there.", ""
	if events := knownEvents(r.Events); len(events) > 0 {
		found = "A webhook for this Flow was already there; it runs on " + strings.Join(events, ", ") + "."
		advice = "If the user wants other events, update it."
	}
	created := "Nothing was created."
	if r.NotReplayed {
		created = "Nothing was created, so past messages are not replayed; to replay them, ask the user, then delete it and create it again."
	}
	return sentences(found, created, advice)
}

func describeSimilar(s twilioapi.SimilarWebhook) string {
	if s.Target == "studio" {
		return s.SID + " runs the same Flow"
	}
	return s.SID + " calls the same URL"
}

func describeEvents(s twilioapi.SimilarWebhook) string {
	if events := knownEvents(s.Filters); len(events) > 0 {
		return "; it has " + strings.Join(events, ", ")
	}
	return ""
}

// knownEvents returns the events among the filters of a webhook. The rest is
// untrusted text, which notes do not repeat.
func knownEvents(filters []string) []string {
	return slices.DeleteFunc(Events(), func(event string) bool { return !slices.Contains(filters, event) })
}
