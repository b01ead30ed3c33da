// Package sprite joins small JPEG pictures into one, for storyboards.
package sprite

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// Sheet says how pictures are laid out.
type Sheet struct {
	Columns, Rows int // 1 to 16
	Width, Height int // of a tile in pixels: even, 2 to 640
}

// Tile is a JPEG file and its place. The picture is at least twice as large as a tile: it is shown at half its size.
type Tile struct {
	Column, Row int
	JPEG        []byte
}

// Validate reports whether the sheet is of a size that may be made.
func (s Sheet) Validate() error {
	if s.Columns < 1 || s.Rows < 1 || s.Columns > 16 || s.Rows > 16 ||
		s.Width < 2 || s.Height < 2 || s.Width > 640 || s.Height > 640 || s.Width%2 != 0 || s.Height%2 != 0 {
		return fmt.Errorf("sheet of %d×%d tiles of %d×%d pixels: out of range", s.Columns, s.Rows, s.Width, s.Height)
	}
	return nil
}

// Join returns one JPEG of all tiles. Places without a tile are black, as are those whose tile cannot be read: bad tells which.
func Join(s Sheet, tiles []Tile) (file []byte, bad []error, err error) {
	if err := s.Validate(); err != nil {
		return nil, nil, err
	}
	sheet := image.NewYCbCr(image.Rect(0, 0, s.Columns*s.Width, s.Rows*s.Height), image.YCbCrSubsampleRatio420)
	for i := range sheet.Cb {
		sheet.Cb[i], sheet.Cr[i] = 128, 128
	}
	for _, t := range tiles {
		if err := s.place(sheet, t); err != nil {
			bad = append(bad, fmt.Errorf("tile %d.%d: %w", t.Column, t.Row, err))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, sheet, &jpeg.Options{Quality: 75}); err != nil {
		return nil, bad, fmt.Errorf("coding a sprite: %w", err)
	}
	return out.Bytes(), bad, nil
}

func (s Sheet) place(sheet *image.YCbCr, t Tile) error {
	if t.Column < 0 || t.Row < 0 || t.Column >= s.Columns || t.Row >= s.Rows {
		return fmt.Errorf("outside of %d×%d tiles", s.Columns, s.Rows)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(t.JPEG))
	if err != nil {
		return err
	}
	// Before it is decoded: a header of some bytes could ask for gigabytes.
	if c.Width < 2*s.Width || c.Height < 2*s.Height || c.Width > 2*s.Width+3 || c.Height > 2*s.Height+3 {
		return fmt.Errorf("%d×%d pixels: want twice %d×%d", c.Width, c.Height, s.Width, s.Height)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(t.JPEG))
	if err != nil {
		return err
	}
	p, ok := decoded.(*image.YCbCr)
	if !ok || p.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return fmt.Errorf("%T: want colours in 4:2:0", decoded)
	}
	x, y := t.Column*s.Width, t.Row*s.Height
	halve(sheet.Y[y*sheet.YStride+x:], sheet.YStride, p.Y, p.YStride, s.Width, s.Height)
	at := y/2*sheet.CStride + x/2
	halve(sheet.Cb[at:], sheet.CStride, p.Cb, p.CStride, s.Width/2, s.Height/2)
	halve(sheet.Cr[at:], sheet.CStride, p.Cr, p.CStride, s.Width/2, s.Height/2)
	return nil
}

// halve fills width×height samples of dst with the means of two by two of src.
func halve(dst []byte, dstStride int, src []byte, srcStride, width, height int) {
	for y := range height {
		out := dst[y*dstStride : y*dstStride+width]
		upper, lower := src[2*y*srcStride:][:2*width], src[(2*y+1)*srcStride:][:2*width]
		for x := range out {
			sum := int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1])
			out[x] = byte((sum + 2) / 4)
		}
	}
}
