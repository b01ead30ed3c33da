package bus

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// Whatever is lost, doubled, reordered or shown by a writer that is succeeded before it is stored: the reader ends up with
// what the stream has, and says so when it must take something back.
func TestReaderAgreesWithTheStream(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := claimedStream(t)
			r := startReader(t, s.c, window+1)
			end, read := make(chan pipeline.Record, 1), make(chan map[uint64]pipeline.Record, 1)
			go func() { read <- readAll(t, r, end) }()
			require.Equal(t, play(s, rand.New(rand.NewPCG(seed, 0)), end), <-read)
		})
	}
}

// play has writers store and show pictures, and tells the last record before it is published. It returns what the stream has.
func play(s sender, random *rand.Rand, end chan<- pipeline.Record) map[uint64]pipeline.Record {
	stored, last := map[uint64]pipeline.Record{}, pipeline.Record{}
	var late []func()
	for n := range 300 {
		if n > 0 && random.IntN(40) == 0 {
			for i := range uint64(random.IntN(60)) { // what the old writer never gets stored
				s.show(last.Seq+1+i, picture(1000+n))
			}
			s.epoch++
			s.claim()
		}
		last = picture(n)
		last.Epoch, last.Seq = s.epoch, s.store(picture(n))
		stored[last.Seq] = last
		writer, seq := s, last.Seq
		show := func() { writer.show(seq, picture(n)) }
		switch random.IntN(4) {
		case 0: // lost
		case 1:
			late = append(late, show)
		case 2: // twice
			show()
			show()
		default:
			show()
		}
		if len(late) > 0 && random.IntN(5) == 0 {
			late[0]()
			late = late[1:]
		}
	}
	r := picture(300)
	r.Epoch, r.Seq = s.epoch, last.Seq+1
	stored[r.Seq] = r
	end <- r
	s.show(s.store(picture(300)), picture(300))
	return stored
}

// readAll reads until the last record, which is told when it is known, and returns the pictures that stand.
func readAll(t *testing.T, r *Reader, last <-chan pipeline.Record) map[uint64]pipeline.Record {
	ctx := limited(t)
	read, end := map[uint64]pipeline.Record{}, pipeline.Record{}
	for at := (pipeline.Record{}); end.Seq == 0 || at.Seq < end.Seq || at.Epoch < end.Epoch; {
		select {
		case end = <-last:
		default:
		}
		record, err := r.Next(ctx)
		var gap *GapError
		switch {
		case errors.As(err, &gap) && gap.To < gap.From:
			for taken := gap.To + 1; taken < gap.From; taken++ {
				delete(read, taken)
			}
		case err != nil:
			t.Errorf("after record %d: %v", at.Seq, err)
			return read
		case record.Claim:
			at = record
		default:
			_, twice := read[record.Seq]
			if at = record; twice {
				t.Errorf("record %d came twice", at.Seq)
			}
			read[at.Seq] = record
		}
	}
	return read
}
