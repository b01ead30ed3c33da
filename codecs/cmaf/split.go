package cmaf

import "fmt"

// Split returns the bytes of each fragment in data, from its moof to the end of its mdat. They alias data.
func Split(data []byte) ([][]byte, error) {
	var found [][]byte
	from := -1
	for b, err := range boxes(data) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("splitting fragments: %w", err)
		case b.kind == "moof":
			from = b.offset
		case b.kind == "mdat" && from >= 0:
			end := b.start + len(b.body)
			found = append(found, data[from:end:end])
			from = -1
		}
	}
	return found, nil
}
