package sandbox

// AuthToken is the Auth Token of the sandbox's account, with which it signs the
// webhooks that it sends unless [Options] name another one.
const AuthToken = "00000000000000000000000000000000"
