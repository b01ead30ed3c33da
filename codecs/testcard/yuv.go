// Package testcard draws the picture and plays the sound of the test camera, and reads them back:
// which frame is this, when was it captured, does it flash when it beeps.
package testcard

// YUV is a planar 4:2:0 picture of 8 bits in limited range (luma 16 to 235). Rows may be longer than the picture.
type YUV struct {
	Width, Height    int
	Y, U, V          []byte
	StrideY, StrideC int // bytes from one row to the next, of Y and of U and V
}

// Luma of black and white (Rec. ITU-R BT.709-6 §5), and chroma without colour.
const (
	black   = 16
	white   = 235
	neutral = 128
)

// NewYUV returns a black picture. Odd sizes have a last chroma sample of half a pixel.
func NewYUV(width, height int) *YUV {
	cw, ch := (width+1)/2, (height+1)/2
	planes := make([]byte, width*height+2*cw*ch)
	img := &YUV{
		Width: width, Height: height, StrideY: width, StrideC: cw,
		Y: planes[:width*height],
		U: planes[width*height : width*height+cw*ch],
		V: planes[width*height+cw*ch:],
	}
	img.fill(rect{0, 0, width, height}, colour{black, neutral, neutral})
	return img
}

type colour struct{ y, u, v byte }

var (
	colourBlack = colour{black, neutral, neutral}
	colourWhite = colour{white, neutral, neutral}
)

// rect is an area in pixels; x1 and y1 are outside.
type rect struct{ x0, y0, x1, y1 int }

func (r rect) within(width, height int) rect {
	return rect{max(r.x0, 0), max(r.y0, 0), min(r.x1, width), min(r.y1, height)}
}

// fill paints r in one colour.
func (img *YUV) fill(r rect, c colour) {
	fillPlane(img.Y, img.StrideY, r.within(img.Width, img.Height), c.y)
	half := rect{r.x0 / 2, r.y0 / 2, (r.x1 + 1) / 2, (r.y1 + 1) / 2}.within((img.Width+1)/2, (img.Height+1)/2)
	fillPlane(img.U, img.StrideC, half, c.u)
	fillPlane(img.V, img.StrideC, half, c.v)
}

func fillPlane(plane []byte, stride int, r rect, value byte) {
	if r.x0 >= r.x1 {
		return
	}
	for y := r.y0; y < r.y1; y++ {
		row := plane[y*stride+r.x0 : y*stride+r.x1]
		for x := range row {
			row[x] = value
		}
	}
}

// copyFrom takes the pixels of src, which has the same size.
func (img *YUV) copyFrom(src *YUV) {
	copyPlane(img.Y, img.StrideY, src.Y, src.StrideY, src.Width, src.Height)
	cw, ch := (src.Width+1)/2, (src.Height+1)/2
	copyPlane(img.U, img.StrideC, src.U, src.StrideC, cw, ch)
	copyPlane(img.V, img.StrideC, src.V, src.StrideC, cw, ch)
}

func copyPlane(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	for y := range height {
		copy(dst[y*dstStride:y*dstStride+width], src[y*srcStride:y*srcStride+width])
	}
}

// mean returns the mean luma of r, at least one pixel of it.
func (img *YUV) mean(r rect) int {
	r = rect{r.x0, r.y0, max(r.x1, r.x0+1), max(r.y1, r.y0+1)}.within(img.Width, img.Height)
	sum, n := 0, 0
	for y := r.y0; y < r.y1; y++ {
		for _, v := range img.Y[y*img.StrideY+r.x0 : y*img.StrideY+r.x1] {
			sum += int(v)
			n++
		}
	}
	return sum / max(n, 1)
}
