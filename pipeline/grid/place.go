package grid

import (
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// Parts returns the number of parts per segment.
func (g Grid) Parts() int { return int(g.StepFrames / g.PartFrames) }

// FrameAt returns the number of the frame whose time is nearest to t.
func (g Grid) FrameAt(t codecs.Ticks) int64 {
	return codecs.MulDivRound(int64(t-g.Epoch), g.FrameRate.Num, codecs.TicksPerSecond*g.FrameRate.Den)
}

// FrameTime returns the time at which frame k is shown, rounded to the nearest tick. FrameAt(FrameTime(k)) == k.
func (g Grid) FrameTime(k int64) codecs.Ticks {
	return g.Epoch + codecs.Ticks(codecs.MulDivRound(k, codecs.TicksPerSecond*g.FrameRate.Den, g.FrameRate.Num))
}

// FrameDuration returns the time one frame is shown, rounded to the nearest tick.
func (g Grid) FrameDuration() codecs.Ticks {
	return codecs.Ticks(codecs.MulDivRound(codecs.TicksPerSecond, g.FrameRate.Den, g.FrameRate.Num))
}

// Segment returns the Media Sequence Number of the segment that holds frame k.
func (g Grid) Segment(k int64) int64 { return codecs.FloorDiv(k, g.StepFrames) }

// Part returns the index, from 0, of frame k's part in its segment.
func (g Grid) Part(k int64) int { return int((k - g.Segment(k)*g.StepFrames) / g.PartFrames) }

// PartFrame returns the first frame of a part. part may equal Parts(): the first frame of the next segment.
func (g Grid) PartFrame(msn int64, part int) int64 {
	return msn*g.StepFrames + int64(part)*g.PartFrames
}

// SegmentTime returns the start of a segment: its EXT-X-PROGRAM-DATE-TIME, rounded to the nearest tick.
func (g Grid) SegmentTime(msn int64) codecs.Ticks { return g.FrameTime(msn * g.StepFrames) }

// AudioFrame returns the first audio frame, of so many samples each, that begins at or after the start of a part.
// part may equal Parts(): the first audio frame of the next segment.
func (g Grid) AudioFrame(samples, msn int64, part int) int64 {
	k := g.PartFrame(msn, part)
	return codecs.MulDivCeil(k, SampleRate*g.FrameRate.Den, samples*g.FrameRate.Num)
}

// AudioPlace returns the segment and part that hold audio frame j of so many samples each.
func (g Grid) AudioPlace(samples, j int64) (msn int64, part int) {
	// The last video frame that begins at or before the audio frame lies in the same part,
	// because parts begin with the first audio frame at or after their first video frame.
	k := codecs.MulDiv(j, samples*g.FrameRate.Num, SampleRate*g.FrameRate.Den)
	return g.Segment(k), g.Part(k)
}

// SampleAt returns the number of the 48 kHz sample nearest to t, counted from the epoch.
func (g Grid) SampleAt(t codecs.Ticks) int64 {
	return codecs.MulDivRound(int64(t-g.Epoch), SampleRate, codecs.TicksPerSecond)
}

// SampleTime returns the time of the 48 kHz sample n, rounded to the nearest tick.
func (g Grid) SampleTime(n int64) codecs.Ticks {
	return g.Epoch + codecs.Ticks(codecs.MulDivRound(n, codecs.TicksPerSecond, SampleRate))
}

// Step returns the length of a video segment, rounded down to a nanosecond.
func (g Grid) Step() time.Duration { return g.span(g.StepFrames) }

// PartTarget returns PART-TARGET (RFC 8216bis §4.4.3.7): the longest part that any rendition can have, AAC included,
// rounded up to the millisecond. frames are the lengths of other audio frames that there are, in samples.
func (g Grid) PartTarget(frames ...int64) time.Duration {
	video := codecs.MulDivCeil(g.PartFrames*g.FrameRate.Den, 1000, g.FrameRate.Num)
	audio := g.longestAudio(g.PartFrames, frames)
	return time.Duration(max(video, codecs.MulDivCeil(audio, 1000, SampleRate))) * time.Millisecond
}

// TargetDuration returns EXT-X-TARGETDURATION in seconds: the longest segment of any rendition, rounded to the
// nearest second (RFC 8216bis §4.4.3.1), at least 1. frames are as for PartTarget.
func (g Grid) TargetDuration(frames ...int64) int {
	video := codecs.MulDivRound(g.StepFrames, g.FrameRate.Den, g.FrameRate.Num)
	audio := g.longestAudio(g.StepFrames, frames)
	return int(max(video, codecs.MulDivRound(audio, 1, SampleRate), 1))
}

// longestAudio returns the most samples in frames that begin within n pictures that start at a multiple of n: of AAC, or of
// frames of the given lengths.
func (g Grid) longestAudio(n int64, frames []int64) int64 {
	most := g.samplesWithin(n, AudioSamples)
	for _, samples := range frames {
		most = max(most, g.samplesWithin(n, samples))
	}
	return most
}

func (g Grid) samplesWithin(n, samples int64) int64 {
	num, den := n*SampleRate*g.FrameRate.Den, samples*g.FrameRate.Num
	if num%den == 0 {
		return num / den * samples
	}
	return (num/den + 1) * samples
}

// Timescale returns the fMP4 timescale of video and the duration of one frame in it: 90000 where that is whole.
func (g Grid) Timescale() (timescale, frameDuration uint32) {
	if codecs.TicksPerSecond*g.FrameRate.Den%g.FrameRate.Num == 0 {
		return codecs.TicksPerSecond, uint32(codecs.TicksPerSecond * g.FrameRate.Den / g.FrameRate.Num)
	}
	return uint32(g.FrameRate.Num), uint32(g.FrameRate.Den)
}
