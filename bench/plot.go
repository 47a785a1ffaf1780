package main

import (
	"bytes"
	"fmt"
	"math"
)

// The size of each of the three charts, and the room around it.
const width, height, margin = 300.0, 220.0, 60.0

// plot draws throughput, p99 and memory over the calls in flight as an SVG. All
// axes are logarithmic, so what grows in proportion is a straight line.
func plot(points []point) []byte {
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="11">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/>`+"\n", 3*(width+margin)+margin, height+2*margin)
	for i, title := range []string{"calls a second", "p99, ms", "memory at peak, MiB"} {
		fmt.Fprintf(&svg, `<g transform="translate(%.0f %.0f)">`+"\n", margin+float64(i)*(width+margin), margin)
		draw(&svg, points, title, []int{calls, p99, peak}[i])
		svg.WriteString("</g>\n")
	}
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// draw draws one chart.
func draw(svg *bytes.Buffer, points []point, title string, figure int) {
	var lines [2][]float64 // floor and product
	low, high := math.Inf(1), 0.0
	for _, p := range points {
		floor, product := p.of(figure)
		for i, v := range []float64{median(floor), median(product)} {
			lines[i] = append(lines[i], v)
			low, high = min(low, v), max(high, v)
		}
	}
	ticks := ticks(low, high)
	low, high = ticks[0], ticks[len(ticks)-1]
	x := func(i int) float64 {
		return width * math.Log(float64(points[i].x)) / math.Log(float64(points[len(points)-1].x))
	}
	y := func(v float64) float64 { return height * math.Log(high/v) / math.Log(high/low) }

	fmt.Fprintf(svg, `<text x="%.0f" y="-20" text-anchor="middle" font-size="13">%s</text>`+"\n", width/2, title)
	fmt.Fprintf(svg, `<text x="%.0f" y="%.0f" text-anchor="middle">calls in flight</text>`+"\n", width/2, height+36)
	for _, v := range ticks {
		fmt.Fprintf(svg, `<path d="M0 %.1fH%.0f" stroke="#ddd"/><text x="-6" y="%.1f" text-anchor="end">%g</text>`+"\n", y(v), width, y(v)+4, v)
	}
	for i, p := range points {
		fmt.Fprintf(svg, `<text x="%.1f" y="%.0f" text-anchor="middle">%d</text>`+"\n", x(i), height+18, p.x)
	}
	for i, name := range []string{"floor", "product"} {
		ink := []string{"#888", "#1f6feb"}[i]
		fmt.Fprintf(svg, `<g fill="%s"><text x="%d" y="-4">%s</text>`, ink, i*40, name)
		var path string
		for j, v := range lines[i] {
			path += fmt.Sprintf("%.1f,%.1f ", x(j), y(v))
			fmt.Fprintf(svg, `<circle cx="%.1f" cy="%.1f" r="3"/>`, x(j), y(v))
		}
		fmt.Fprintf(svg, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/></g>`+"\n", path, ink)
	}
}

// ticks returns the numbers 1, 2 and 5, times powers of ten, from the one at or
// below low to the one at or above high.
func ticks(low, high float64) (ticks []float64) {
	for e := math.Floor(math.Log10(low)); ; e++ {
		for _, factor := range []float64{1, 2, 5} {
			v := factor * math.Pow(10, e)
			if v <= low {
				ticks = ticks[:0]
			}
			ticks = append(ticks, v)
			if v >= high && len(ticks) > 1 {
				return ticks
			}
		}
	}
}
