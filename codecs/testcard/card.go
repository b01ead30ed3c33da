package testcard

import (
	"strconv"
	"time"
)

// FlashTime is how long flash and beep last, from the start of each UTC second of capture time.
const FlashTime = 100 * time.Millisecond

// Card draws test cards of one size. It may be used by one goroutine at a time.
type Card struct {
	background *YUV
}

// NewCard returns a card of this size. Below 320 × 180 the bar is too small to be read after lossy coding.
func NewCard(width, height int) *Card {
	img := NewYUV(width, height)
	drawColours(img)
	drawRamp(img)
	return &Card{background: img}
}

// Draw paints the card into img, which must have the card's size: a box moves with the frame number, the
// square at the top right flashes, digits and bar say which frame this is and when it was captured.
func (c *Card) Draw(img *YUV, frame uint32, captured time.Time) {
	img.copyFrom(c.background)
	drawBox(img, frame)
	flash := colourBlack
	if time.Duration(captured.Nanosecond()) < FlashTime {
		flash = colourWhite
	}
	img.fill(img.flashArea(), flash)
	drawDigits(img, frame, captured)
	drawBar(img, encodeBar(frame, captured))
}

// Flash reports whether the square of a test card is lit.
func Flash(img YUV) bool {
	return img.mean(img.flashArea().core()) > (black+white)/2
}

// barColours are the eight colours of EBU bars at 75 % (Rec. ITU-R BT.709, limited range).
var barColours = [...]colour{
	{180, 128, 128},
	{168, 44, 136},
	{145, 147, 44},
	{133, 63, 52},
	{63, 193, 204},
	{51, 109, 212},
	{28, 212, 120},
	{16, 128, 128},
}

func drawColours(img *YUV) {
	r := img.colourArea()
	for i, c := range barColours {
		stripe := rect{r.x1 * i / len(barColours), r.y0, r.x1 * (i + 1) / len(barColours), r.y1}
		img.fill(stripe, c)
	}
}

func drawRamp(img *YUV) {
	r := img.rampArea()
	for x := r.x0; x < r.x1; x++ {
		fillPlane(img.Y, img.StrideY, rect{x, r.y0, x + 1, r.y1}, byte(black+(white-black)*x/r.x1))
	}
}

// drawBox moves a box to and fro below the colours, by a cell each frame, clear of the flash.
func drawBox(img *YUV, frame uint32) {
	x, y := toAndFro(frame, 44), toAndFro(frame, 9)
	img.fill(img.area(x, y, x+7, y+7), colour{210, 90, 110})
	img.fill(img.area(x+2, y+2, x+5, y+5), colour{60, 160, 150})
}

func toAndFro(n uint32, top int) int {
	at := int(n % uint32(2*top))
	return min(at, 2*top-at)
}

func drawDigits(img *YUV, frame uint32, captured time.Time) {
	r := img.textArea()
	scale := textScale(r, 24)
	y := r.y0 + (r.y1-r.y0-glyphHeight*scale)/2
	img.text(strconv.FormatUint(uint64(frame), 10), r.x0+scale*glyphWidth/2, y, scale, white)
	stamp := captured.UTC().Format("15:04:05.000")
	img.text(stamp, r.x1-scale*glyphWidth*(len(stamp)+1)+scale*glyphWidth/2, y, scale, white)
}
