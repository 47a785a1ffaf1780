package twilioapi

import (
	"context"
	"time"
)

// Wait makes the client wait by a function of the test's.
func (c *Client) Wait(wait func(context.Context, time.Duration) error) { c.sleep = wait }
