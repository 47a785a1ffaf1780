package metrics

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// writeRuntime writes what Go says of the process. Here as in [writeProcess], names
// and types are those of Prometheus' client library for Go.
func writeRuntime(w *bytes.Buffer) {
	threads, _ := runtime.ThreadCreateProfile(nil)
	writeValue(w, gauge, "go_goroutines", "Number of goroutines that currently exist.", float64(runtime.NumGoroutine()))
	writeValue(w, gauge, "go_threads", "Number of OS threads created.", float64(threads))
	writeValue(w, gauge, "go_sched_gomaxprocs_threads", "The current runtime.GOMAXPROCS setting.", float64(runtime.GOMAXPROCS(0)))
	fmt.Fprintf(w, "# HELP go_info Information about the Go environment.\n# TYPE go_info gauge\ngo_info{version=%q} 1\n", runtime.Version())
	writeMemory(w)
	writePauses(w)
}

func writeMemory(w *bytes.Buffer) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, row := range []struct {
		name, help string
		value      uint64
	}{
		{"alloc_bytes", "Number of bytes allocated in heap and currently in use.", m.Alloc},
		{"buck_hash_sys_bytes", "Number of bytes used by the profiling bucket hash table.", m.BuckHashSys},
		{"gc_sys_bytes", "Number of bytes used for garbage collection system metadata.", m.GCSys},
		{"heap_alloc_bytes", "Number of heap bytes allocated and currently in use, same as go_memstats_alloc_bytes.", m.HeapAlloc},
		{"heap_idle_bytes", "Number of heap bytes waiting to be used.", m.HeapIdle},
		{"heap_inuse_bytes", "Number of heap bytes that are in use.", m.HeapInuse},
		{"heap_objects", "Number of currently allocated objects.", m.HeapObjects},
		{"heap_released_bytes", "Number of heap bytes released to OS.", m.HeapReleased},
		{"heap_sys_bytes", "Number of heap bytes obtained from system.", m.HeapSys},
		{"last_gc_time_seconds", "Number of seconds since 1970 of last garbage collection.", m.LastGC / 1e9},
		{"mcache_inuse_bytes", "Number of bytes in use by mcache structures.", m.MCacheInuse},
		{"mcache_sys_bytes", "Number of bytes used for mcache structures obtained from system.", m.MCacheSys},
		{"mspan_inuse_bytes", "Number of bytes in use by mspan structures.", m.MSpanInuse},
		{"mspan_sys_bytes", "Number of bytes used for mspan structures obtained from system.", m.MSpanSys},
		{"next_gc_bytes", "Number of heap bytes when next garbage collection will take place.", m.NextGC},
		{"other_sys_bytes", "Number of bytes used for other system allocations.", m.OtherSys},
		{"stack_inuse_bytes", "Number of bytes obtained from system for stack allocator.", m.StackInuse},
		{"stack_sys_bytes", "Number of bytes obtained from system for stack allocator.", m.StackSys},
		{"sys_bytes", "Number of bytes obtained from system.", m.Sys},
	} {
		writeValue(w, gauge, "go_memstats_"+row.name, row.help, float64(row.value))
	}
	writeValue(w, counter, "go_memstats_alloc_bytes_total", "Total number of bytes allocated in heap until now, even if released already.", float64(m.TotalAlloc))
	writeValue(w, counter, "go_memstats_frees_total", "Total number of heap objects frees.", float64(m.Frees))
	writeValue(w, counter, "go_memstats_mallocs_total", "Total number of heap objects allocated, both live and gc-ed.", float64(m.Mallocs))
}

// writePauses writes how long garbage collections stopped the program.
func writePauses(w *bytes.Buffer) {
	stats := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&stats)
	const name = "go_gc_duration_seconds"
	fmt.Fprintf(w, "# HELP %s A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.\n# TYPE %s summary\n", name, name)
	for i, pause := range stats.PauseQuantiles {
		fmt.Fprintf(w, "%s{quantile=\"%v\"} %v\n", name, float64(i)/4, pause.Seconds())
	}
	fmt.Fprintf(w, "%s_sum %v\n%s_count %d\n", name, stats.PauseTotal.Seconds(), name, stats.NumGC)
}

// writeProcess writes what Linux says of the process. Elsewhere it writes only when
// the process started.
func writeProcess(w *bytes.Buffer, start time.Time) {
	writeValue(w, gauge, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", float64(start.UnixMilli())/1000)
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		writeValue(w, gauge, "process_open_fds", "Number of open file descriptors.", float64(len(open)))
	}
	limits, _ := os.ReadFile("/proc/self/limits")
	if _, after, found := strings.Cut(string(limits), "Max open files"); found {
		writeValue(w, gauge, "process_max_fds", "Maximum number of open file descriptors.", number(strings.Fields(after)[0]))
	}
	stat, _ := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 22 {
		return
	}
	const ticks = 100 // a second, on every architecture
	writeValue(w, counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", (number(fields[11])+number(fields[12]))/ticks)
	writeValue(w, gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.", number(fields[20]))
	writeValue(w, gauge, "process_resident_memory_bytes", "Resident memory size in bytes.", number(fields[21])*float64(os.Getpagesize()))
}

func number(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

// writeValue writes a metric without labels.
func writeValue(w *bytes.Buffer, kind, name, help string, value float64) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %v\n", name, help, name, kind, name, value)
}
