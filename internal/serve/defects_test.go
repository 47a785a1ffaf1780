package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// defects are those of mcp-go v1.2.1's transports and checks, and what shows
// that this server has none of them: the names of tests, or why it cannot.
var defects = []struct{ what, shown, cannot string }{
	{"D1: notifications of other clients leak", "TestWhoGetsInAndWhoDoesNot", "there are no streams: GET is 405, and each POST is answered for itself"},
	{"D2: one client cancels another's call", "TestNobodyCanStopAnothersCall", ""},
	{"D3: the end of stdin kills calls", "TestEverythingReadBeforeTheEndIsAnswered TestEveryRequestReadBeforeTheEndIsAnswered", ""},
	{"D4: each initialize keeps memory", "TestNothingIsLeftBehind", ""},
	{"D5: idle sessions are dropped while in use", "TestASessionOverHTTP", "there are no sessions: none is issued or asked for"},
	{"D6: any session id is taken for one", "TestWhoGetsInAndWhoDoesNot", "there are no sessions"},
	{"D7: problems with arguments speak Go", "TestArgumentsThatDoNotFitAreNotSent", ""},
	{"D8: one bad pattern switches validation off", "TestThePublishedSchemasComeFromTheTypes", "a schema that does not compile panics, in tests first"},
	{"D9: formats and large numbers are not checked", "TestAnIntegerIsReadAsJSONSchemaReadsIt TestInputsUseOnlyWhatEveryClientTakes", "inputs have no format"},
	{"D10: no check of Origin", "TestWhoGetsInAndWhoDoesNot", ""},
	{"D11: panics are shown to clients", "TestAPanicIsLoggedWithItsStackAndNotTold", ""},
	{"D12: ids are rounded", "TestMessagesAndWhatAnswersThem", ""},
	{"D13: responses are answered", "TestWhatIsNoRequestIsNotAnswered TestWhoGetsInAndWhoDoesNot", ""},
	{"D14: cancelled calls are answered, queued ones made", "TestACancelledCallStopsAndIsNotAnswered", ""},
	{"D15: subscriptions/listen holds up the end", "TestWhoWantsNewsLearnsThatThereIsNone", ""},
	{"D16: the last progress notification is lost", "", "no tool sends progress"},
	{"D17: a bad tag makes an empty schema", "TestThePublishedSchemasComeFromTheTypes", "WithInputSchema is not used: the published bytes are"},
	{"D18: a result that is no JSON is not answered", "TestMessagesAndWhatAnswersThem", ""},
	{"D19: Start and Shutdown wait for each other", "TestTheEndAnswersWhatIsUnderWay", "mcp-go's servers are not used"},
	{"D20: lines and bodies have no bound", "TestALongLineDoesNotTakeMemory TestMessagesTakeNoMoreMemoryThanTheyMay TestBodiesTakeNoMoreMemoryThanTheyMay", ""},
	{"D21: GET anywhere opens a stream", "TestWhoGetsInAndWhoDoesNot", ""},
	{"D22: DELETE ends the sessions of others", "TestWhoGetsInAndWhoDoesNot", "there are no sessions: DELETE is 405"},
}

func TestEveryDefectOfTheLibraryIsAccountedFor(t *testing.T) {
	t.Parallel()
	var tests []string
	for _, pattern := range []string{"*_test.go", "../../*_test.go", "../../tools/*_test.go", "../../schemas/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(source), -1) {
				tests = append(tests, match[1])
			}
		}
	}
	require.Len(t, defects, 22)
	for _, d := range defects {
		require.NotEmpty(t, d.shown+d.cannot, d.what)
		for _, name := range strings.Fields(d.shown) {
			require.Contains(t, tests, name, d.what)
		}
	}
}
