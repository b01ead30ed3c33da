package testcard

import (
	"image"
	"strings"

	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

const (
	glyphWidth  = 7
	glyphHeight = 13
)

// textScale returns the whole number by which to enlarge letters so that a line of this many fits into r.
func textScale(r rect, letters int) int {
	return max(1, min((r.x1-r.x0)/(letters*glyphWidth), (r.y1-r.y0)/glyphHeight))
}

// text writes s in one luma. Letters that the font lacks become its replacement glyph.
func (img *YUV) text(s string, x, y, scale int, luma byte) {
	for _, letter := range s {
		img.glyph(letter, x, y, scale, luma)
		x += glyphWidth * scale
	}
}

func (img *YUV) glyph(letter rune, x, y, scale int, luma byte) {
	box, mask, at, _, ok := basicfont.Face7x13.Glyph(fixed.P(0, basicfont.Face7x13.Ascent), letter)
	if !ok {
		return
	}
	for dy := range box.Dy() {
		for dx := range box.Dx() {
			if _, _, _, a := mask.At(at.X+dx, at.Y+dy).RGBA(); a == 0 {
				continue
			}
			corner := box.Min.Add(image.Pt(dx, dy)).Mul(scale).Add(image.Pt(x, y))
			dot := rect{corner.X, corner.Y, corner.X + scale, corner.Y + scale}
			fillPlane(img.Y, img.StrideY, dot.within(img.Width, img.Height), luma)
		}
	}
}

// centred writes s in the middle of r, as large as it fits.
func (img *YUV) centred(s string, r rect) {
	letters := len([]rune(s))
	scale := textScale(r, max(letters, 1))
	x := (r.x0 + r.x1 - letters*glyphWidth*scale) / 2
	y := (r.y0 + r.y1 - glyphHeight*scale) / 2
	img.text(s, x, y, scale, white)
}

// Slate returns the card that stands in for a camera that is away. Read finds no bar on it.
func Slate(width, height int, feed string) *YUV {
	img := NewYUV(width, height)
	img.fill(rect{0, 0, width, height}, colour{40, 138, 124})
	img.fill(img.area(0, 8, columns, 9), colour{81, 90, 240})
	img.fill(img.area(0, 27, columns, 28), colour{81, 90, 240})
	img.centred("NO SIGNAL", img.area(8, 10, 56, 20))
	img.centred(strings.ToValidUTF8(feed, "?"), img.area(8, 21, 56, 26))
	return img
}
