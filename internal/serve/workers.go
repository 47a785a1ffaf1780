package serve

// maxIdle is how many goroutines wait for more to do. A stack that has grown for one
// call is then there for the next; growing it costs a tenth of a call.
const maxIdle = 64

// workers run functions at the same time, on goroutines that they use again until
// stopped is closed.
type workers struct {
	next    chan func() // unbuffered: one that waits takes it
	idle    chan struct{}
	stopped chan struct{}
}

func newWorkers() *workers {
	return &workers{next: make(chan func()), idle: make(chan struct{}, maxIdle), stopped: make(chan struct{})}
}

// run runs a function in the background.
func (w *workers) run(f func()) {
	select {
	case w.next <- f:
	default:
		go w.work(f)
	}
}

func (w *workers) work(f func()) {
	for f != nil {
		f()
		f = w.wait()
	}
}

// wait returns the next function, or nil if the goroutine should end.
func (w *workers) wait() (f func()) {
	select {
	case w.idle <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-w.idle }()
	select {
	case f = <-w.next:
	case <-w.stopped:
	}
	return f
}
