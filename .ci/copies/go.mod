module twilio-conversations-mcp/ci/copies

go 1.26.0
