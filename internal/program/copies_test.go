package program

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An invalid URL ends the program at once; one at which nothing listens does not, since
// lists need no store. Neither is shown.
func TestTheURLOfTheStoreIsCheckedAndNotShown(t *testing.T) {
	t.Parallel()
	_, stderr, err := runProgram(t, environment("MCP_REDIS_URL", "http://:hunter2@redis.example"), "")
	require.ErrorContains(t, err, "MCP_REDIS_URL: the value must be a URL such as redis://:PASSWORD@HOST:6379")
	require.NotContains(t, err.Error()+stderr, "hunter2")

	url, logged, end := serving(t, environment("MCP_REDIS_URL", "redis://:hunter2@127.0.0.1:1"), "--http", "127.0.0.1:0")
	require.NotEmpty(t, url)
	require.Eventually(t, func() bool { return strings.Contains(logged.String(), "the engine does not answer as it should") }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, end())
	require.NotContains(t, logged.String(), "hunter2")
	require.NotContains(t, logged.String(), "127.0.0.1:1 ")
}
