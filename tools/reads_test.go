package tools_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const service = "IS0123456789abcdef0123456789abcdef"

// answering connects to a Twilio that records the targets of requests and always
// gives the same answer. Every tool is offered.
func answering(t *testing.T, status int, body string) (session, <-chan string) {
	t.Helper()
	targets := make(chan string, 100)
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.RequestURI
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	s.tools = choose(t, "all")
	return s, targets
}

func TestArgumentsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	const answer = `{"conversations":[{"sid":"CH1","new":[1.50]}],"services":[],"address_configurations":[],"sid":null,"account_sid":null,"chat_service_sid":null}`
	for _, row := range []struct{ tool, arguments, want string }{
		{listAll, `{}`, "/v1/Conversations"},
		{listAll, `{"State":"CLOSED","StartDate":"2026-02-28","EndDate":"2026-03-01","PageSize":100,"Page":0,"PageToken":"a+b&c"}`,
			"/v1/Conversations?EndDate=2026-03-01&Page=0&PageSize=100&PageToken=a%2Bb%26c&StartDate=2026-02-28&State=closed"},
		{listAll, `{"State":null,"StartDate":"","Page":9007199254740993}`, "/v1/Conversations?Page=9007199254740993"},
		{listOf, `{"Address":"+15558675310"}`, "/v1/ParticipantConversations?Address=%2B15558675310"},
		{listOf, `{"Address":"whatsapp:+15558675310","Identity":""}`, "/v1/ParticipantConversations?Address=whatsapp%3A%2B15558675310"},
		{listOf, `{"Identity":"a b%2Fé@example.com"}`, "/v1/ParticipantConversations?Identity=a+b%252F%C3%A9%40example.com"},
		{fetchOne, `{"ConversationSid":"support/42?"}`, "/v1/Conversations/support%2F42%3F"},
		{listServices, `{"PageSize":1}`, "/v1/Services?PageSize=1"},
		{fetchConfig, `{}`, "/v1/Configuration/Webhooks"},
		{fetchConfig, `{"ChatServiceSid":"` + service + `"}`, "/v1/Services/" + service + "/Configuration/Webhooks"},
		{listAddress, `{"Type":"whatsapp"}`, "/v1/Configuration/Addresses?Type=whatsapp"},
	} {
		s, targets := answering(t, http.StatusOK, answer)
		result := s.call(row.tool, row.arguments)
		require.False(t, result.IsError, texts(t, result))
		require.Equal(t, answer, string(result.RawStructuredContent), row.tool)
		require.Equal(t, row.want, <-targets)
	}
}

func TestArgumentsThatNoRequestCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	s, targets := answering(t, http.StatusOK, `{}`)
	for _, row := range []struct{ tool, arguments, want string }{
		{listAll, `{"StartDate":"2026-02-29","EndDate":"yesterday"}`,
			`EndDate must be a date, YYYY-MM-DD, not "yesterday". StartDate must be a date, YYYY-MM-DD, not "2026-02-29".`},
		{listAll, `{"State":"open","PageSize":101}`, `PageSize must be at most 100, not 101. State must be active, inactive or closed, not "open".`},
		{listOf, `{}`, "Exactly one of Identity and Address is required."},
		{listOf, `{"Identity":"","Address":null}`, "Exactly one of Identity and Address is required."},
		{listOf, `{"Identity":"alice","Address":"+15558675310"}`, "Exactly one of Identity and Address is required."},
		{fetchOne, `{}`, "ConversationSid is required."},
		{fetchOne, `{"ConversationSid":".."}`, `ConversationSid must not be empty, "." or ".."`},
		{fetchConfig, `{"ChatServiceSid":"default"}`, `ChatServiceSid must be IS and 32 hexadecimal digits, not "default".`},
	} {
		text, _ := s.fails(row.tool, row.arguments)
		require.Contains(t, text, "Nothing was sent")
		require.Contains(t, text, row.want, row.tool)
	}
	require.Empty(t, targets)
}

func TestARefusalNamesWhatToCheck(t *testing.T) {
	t.Parallel()
	s, _ := answering(t, http.StatusNotFound, `{"code":20404,"message":"not found","status":404}`)
	text, _ := s.fails(fetchOne, `{"ConversationSid":"CH1"}`)
	require.Contains(t, text, "Check ConversationSid: ")
	text, _ = s.fails(fetchConfig, `{"ChatServiceSid":"`+service+`"}`)
	require.Contains(t, text, "Check ChatServiceSid: list_conversation_services shows which there are. ")

	s, _ = answering(t, http.StatusOK, "<html>sign in</html>")
	text, _ = s.fails(listServices, `{}`)
	require.Contains(t, text, "not a JSON object")
}
