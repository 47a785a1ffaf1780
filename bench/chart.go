package main

import (
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	referenceColor = color.RGBA{R: 0x88, G: 0x88, B: 0x88, A: 0xff}
	serverColor    = color.RGBA{R: 0x1f, G: 0x6f, B: 0xeb, A: 0xff}
)

// writeChart writes an SVG file with a plot of each growth metric over the
// calls in flight.
func writeChart(file, reference, server string, points []point) error {
	const width, height = 32 * vg.Centimeter, 10 * vg.Centimeter
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	var plots []*plot.Plot
	for _, m := range growthMetrics {
		p, err := newPlot(m, reference, server, points)
		if err != nil {
			return err
		}
		plots = append(plots, p)
	}
	svg := vgsvg.New(width, height)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots)}
	for i, c := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(svg))[0] {
		plots[i].Draw(c)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := svg.WriteTo(f); err != nil {
		return err
	}
	return f.Close()
}

// newPlot plots a metric of both programs. Both axes are logarithmic, so that a
// proportional relation is a straight line.
func newPlot(m metric, reference, server string, points []point) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = metrics[m].name
	p.X.Label.Text = "calls in flight"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Tick.Marker = logTicks()
	p.Add(plotter.NewGrid())
	var xTicks plot.ConstantTicks
	var referenceLine, serverLine plotter.XYs
	for _, point := range points {
		x := float64(point.x)
		r, s := point.values(m)
		xTicks = append(xTicks, plot.Tick{Value: x, Label: fmt.Sprint(x)})
		referenceLine = append(referenceLine, plotter.XY{X: x, Y: median(r)})
		serverLine = append(serverLine, plotter.XY{X: x, Y: median(s)})
	}
	p.X.Tick.Marker = xTicks
	if err := addLine(p, reference, referenceColor, referenceLine); err != nil {
		return nil, err
	}
	return p, addLine(p, server, serverColor, serverLine)
}

// addLine adds a line with a dot at each point, and its name to the legend.
func addLine(p *plot.Plot, name string, c color.Color, xys plotter.XYs) error {
	line, dots, err := plotter.NewLinePoints(xys)
	if err != nil {
		return err
	}
	line.Color, dots.Color = c, c
	line.Width = vg.Points(1.5)
	dots.Shape = draw.CircleGlyph{}
	p.Add(line, dots)
	p.Legend.Add(name, line, dots)
	return nil
}

// logTicks returns ticks at 1, 2 and 5 times the powers of ten.
func logTicks() (ticks plot.ConstantTicks) {
	for exponent := -3; exponent <= 6; exponent++ {
		for _, factor := range []float64{1, 2, 5} {
			value := factor * math.Pow10(exponent)
			ticks = append(ticks, plot.Tick{Value: value, Label: fmt.Sprint(value)})
		}
	}
	return ticks
}
