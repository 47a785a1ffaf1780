// Package deploytest holds the tests that check the files of deploy against the
// program and against the types and schemas of those who read them. It is a
// module of its own, so that the server does not depend on those.
package deploytest
