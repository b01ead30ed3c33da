package rules

const cmafTable = "ISO/IEC 23000-19 "

// mediaRules are those of init sections, segments and parts.
var mediaRules = []Rule{
	{"init-gone", draft + "§4.4.4.5", Must, "The init section that EXT-X-MAP names can be fetched."},
	{"init-unreadable", draft + "§3.1.2", Must, "An init section is ftyp and moov, with a track that can be read."},
	{"init-brand", draft + "§3.1.2", Must, "ftyp has a brand that is compatible with iso6 or higher."},
	{"init-form", draft + "§3.1.2", Must, "moov follows ftyp, has mvex, durations of zero and no samples."},
	{"init-entry", apple + "1.10", Should, "Parameter sets are in the init section: avc1, hvc1."},
	{"resolution-wrong", draft + "§4.4.6.2", Should, "RESOLUTION is the size at which the video is shown."},
	{"track-unknown", draft + "§3.1.2", Must, "moov has a track for each traf."},
	{
		"discontinuity-missing", draft + "§4.4.4.3, §6.2.1", Must,
		"A change of format, tracks or encoding parameters has an EXT-X-DISCONTINUITY.",
	},
	{"segment-gone", draft + "§6.2.1", Must, "A segment that is listed can be fetched, unless it is an EXT-X-GAP."},
	{"part-gone", draft + "§6.2.1", Must, "A part that is listed can be fetched, unless it has GAP=YES."},
	{
		"segment-removed-early", draft + "§6.2.2", Must,
		"A removed segment can be fetched for its duration and the longest playlist's after it appeared.",
	},
	{"part-removed-early", draft + "§6.2.2", Must, "A part can be fetched for three target durations after it is removed."},
	{"media-changed", draft + "§6.2.1", Must, "What a URI gives never changes."},
	{"media-unreadable", draft + "§3.1.2", Must, "A segment or part is whole fragments with tfdt and addresses relative to moof."},
	{
		"decode-time-gap", draft + "§3, " + cmafTable + "§7.3.2.2", Must,
		"A fragment's decoding time is where the one before ended: no media are missing.",
	},
	{
		"decode-time-overlap", draft + "§3, " + cmafTable + "§7.3.2.2", Must,
		"A fragment's decoding time is where the one before ended: time does not go back.",
	},
	{"segment-not-independent", draft + "appendix B.1, " + apple + "7.4", Must, "A segment begins with a random access picture."},
	{
		"segment-wrong-duration", draft + "§4.4.4.1, " + apple + "8.1", Must,
		"EXTINF of any run of segments is that of their samples, to a frame.",
	},
	{"part-wrong-duration", draft + "§4.4.4.9", Must, "DURATION is that of the part's samples, to a frame."},
	{"parts-differ", draft + "§3.2", Must, "The parts of a segment have the segment's samples."},
	{"timestamps-differ", draft + "§6.2.4", Must, "Matching segments of renditions begin at the same media time."},
	{"ts-unreadable", draft + "§3.1.1", Must, "A segment of MPEG-TS is whole packets, with a PAT and a PMT."},
	{"ts-tables-late", draft + "§3.1.1", Should, "The first two packets of a segment of MPEG-TS are a PAT and a PMT."},
	{
		"ts-counter", draft + "§3, ISO/IEC 13818-1 §2.4.3.3", Must,
		"Continuity counters go on from packet to packet, also of the next segment: no media are missing.",
	},
}
