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
	drawRow(draw.New(svg), plots)
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := svg.WriteTo(f); err != nil {
		return err
	}
	return f.Close()
}

// drawRow draws plots side by side.
func drawRow(canvas draw.Canvas, plots []*plot.Plot) {
	const pad = vg.Centimeter / 2
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Rectangle.Path())
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad, PadX: pad}
	for i, c := range plot.Align([][]*plot.Plot{plots}, tiles, canvas)[0] {
		plots[i].Draw(c)
	}
}

// newPlot plots a metric of both programs. Both axes are logarithmic, so that a
// proportional relation is a straight line.
func newPlot(m metric, reference, server string, points []point) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.Title.Padding = metrics[m].name, vg.Points(8)
	p.X.Label.Text = "calls in flight"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Tick.Marker, p.Y.AutoRescale = plot.TickerFunc(logTicks), true
	p.Legend.Top, p.Legend.Left = true, true
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

// logTicks returns ticks at 1, 2 and 5 times the powers of ten, from the last
// one at or below low to the first one at or above high. Both must be positive.
func logTicks(low, high float64) (ticks []plot.Tick) {
	for exponent := int(math.Floor(math.Log10(low))); ; exponent++ {
		for _, factor := range []float64{1, 2, 5} {
			value := factor * math.Pow10(exponent)
			if value <= low {
				ticks = ticks[:0]
			}
			ticks = append(ticks, plot.Tick{Value: value, Label: fmt.Sprint(value)})
			if value >= high {
				return ticks
			}
		}
	}
}
