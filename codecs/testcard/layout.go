package testcard

// The card is laid out on a grid of 64 × 36 cells over the whole picture, so that it stays readable at any size.
const (
	columns = 64
	rows    = 36
)

// area returns the pixels of an area of cells.
func (img *YUV) area(x0, y0, x1, y1 int) rect {
	return rect{x0 * img.Width / columns, y0 * img.Height / rows, x1 * img.Width / columns, y1 * img.Height / rows}
}

func (img *YUV) colourArea() rect { return img.area(0, 0, columns, 17) }
func (img *YUV) textArea() rect   { return img.area(0, 17, columns, 25) }
func (img *YUV) rampArea() rect   { return img.area(0, 33, columns, rows) }
func (img *YUV) flashArea() rect  { return img.area(52, 2, 62, 12) }

// block returns the pixels of one block of the machine-readable bar: two rows of blocks, one block of margin at each side.
func (img *YUV) block(row, i int) rect {
	y0 := 26 + 3*row
	r := img.area(0, y0, 0, y0+3)
	r.x0 = (i + 1) * img.Width / (blocksPerRow + 2)
	r.x1 = (i + 2) * img.Width / (blocksPerRow + 2)
	return r
}

// core returns the middle half of r in both directions, which scaling and coding have hurt least.
func (r rect) core() rect {
	w, h := r.x1-r.x0, r.y1-r.y0
	return rect{r.x0 + (w+1)/4, r.y0 + (h+1)/4, r.x1 - (w+1)/4, r.y1 - (h+1)/4}
}
