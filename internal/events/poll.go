package events

import "context"

func (n *subscriber) setPosition(ctx context.Context, requested int64, resumes bool) error {
	return nil
}
