package rules

// iFrameRules are those of playlists that list only I-frames, for trick play.
var iFrameRules = []Rule{
	{
		"i-frame-stream-form", draft + "§4.4.6.3", Must,
		"EXT-X-I-FRAME-STREAM-INF has BANDWIDTH and URI, and none of FRAME-RATE, AUDIO, SUBTITLES and CLOSED-CAPTIONS.",
	},
	{"i-frame-codecs-wrong", draft + "§4.4.6.2, §4.4.6.3", Must, "CODECS of an I-frame playlist has the format of its init section."},
	{"i-frames-only-missing", draft + "§4.4.6.3", Must, "The playlist that EXT-X-I-FRAME-STREAM-INF names has EXT-X-I-FRAMES-ONLY."},
	{"i-frames-only-parts", draft + "§4.4.3.6", Must, "A playlist with EXT-X-I-FRAMES-ONLY lists I-frames, no parts."},
	{
		"i-frame-range-ignored", draft + "§4.4.4.2, RFC 9110 §14.2", Must,
		"The byte range of an I-frame can be fetched: status 206 and these bytes.",
	},
	{
		"i-frame-wrong", draft + "§4.4.3.6, " + apple + "6.10, 6.11", Must,
		"An I-frame's byte range has its moof and the whole picture, a sync sample.",
	},
	{"i-frame-bandwidth-low", apple + "1.26–1.29", Should, "The measured peak bit rate of I-frames is below 125 % of their BANDWIDTH."},
	{"i-frame-window-differs", draft + "§6.2.4", Must, "The I-frame playlist lists the time that the variants do, to a target duration."},
}
