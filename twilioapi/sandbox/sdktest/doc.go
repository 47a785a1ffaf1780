// Package sdktest holds the tests that run Twilio's own Go SDK against the sandbox. It is a module of its
// own, so that the server does not depend on the SDK.
package sdktest
