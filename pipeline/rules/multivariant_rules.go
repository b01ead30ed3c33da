package rules

const (
	draft = "RFC 8216bis "
	apple = "Apple HLS authoring specification "
)

// multivariantRules are those of the multivariant playlist.
var multivariantRules = []Rule{
	{"multivariant-empty", draft + "§4.4.6.2", Must, "A multivariant playlist has a variant."},
	{"variant-uri-missing", draft + "§4.4.6.2", Must, "A URI follows each EXT-X-STREAM-INF."},
	{"bandwidth-missing", draft + "§4.4.6.2", Must, "Every variant has BANDWIDTH."},
	{"bandwidth-low", apple + "1.26–1.29", Must, "The measured peak bit rate of a live variant is below 125 % of BANDWIDTH."},
	{"average-bandwidth-missing", apple + "9.14", Should, "Every variant has AVERAGE-BANDWIDTH."},
	{
		"average-bandwidth-low", apple + "1.26–1.29", Should,
		"The measured average bit rate of a live variant is below 110 % of AVERAGE-BANDWIDTH.",
	},
	{"codecs-missing", draft + "§4.4.6.2", Should, "Every variant has CODECS."},
	{"codecs-wrong", draft + "§6.2.4", Must, "CODECS lists every format in any rendition of the variant, as its init section has it."},
	{
		"supplemental-codecs-form", draft + "§4.4.6.2", Must,
		"SUPPLEMENTAL-CODECS names a format, then compatibility brands, beside a base format in CODECS.",
	},
	{"score-partial", draft + "§4.4.6.2", Should, "All variants have SCORE, or none."},
	{"resolution-missing", draft + "§4.4.6.2", Should, "Every variant with video has RESOLUTION."},
	{"aspect-ratio-differs", apple + "9.10", Should, "All video variants have the same aspect ratio."},
	{"frame-rate-missing", draft + "§4.4.6.2", Should, "Every variant with video has FRAME-RATE."},
	{"frame-rate-form", draft + "§4.4.6.2", Must, "FRAME-RATE is rounded to three decimals."},
	{"frame-rate-wrong", draft + "§4.4.6.2", Should, "No video has more pictures per second than FRAME-RATE says."},
	{"video-range-wrong", draft + "§4.4.6.2", Must, "VIDEO-RANGE is that of the video's transfer characteristics."},
	{"low-variant-missing", apple + "1.32", Should, "One variant needs at most 192 kbit/s, for cellular networks."},
	{"group-missing", draft + "§4.4.6.2", Must, "AUDIO, VIDEO, SUBTITLES and CLOSED-CAPTIONS name a group that an EXT-X-MEDIA defines."},
	{"media-form", draft + "§4.4.6.1", Must, "EXT-X-MEDIA has TYPE, GROUP-ID and NAME, and only the attributes of its type."},
	{"media-name-twice", draft + "§4.4.6.1.1", Must, "The names in a group are different."},
	{"media-default-twice", draft + "§4.4.6.1.1", Must, "A group has at most one member with DEFAULT=YES."},
	{"media-default-autoselect", draft + "§4.4.6.1", Must, "AUTOSELECT is YES or absent where DEFAULT is YES."},
	{"media-groups-differ", draft + "§4.4.6.1.1", Must, "All groups of a type have the same members."},
	{"language-missing", apple + "8.10", Should, "Audio and subtitles have LANGUAGE."},
	{"channels-missing", draft + "§4.4.6.1", Should, "Audio has CHANNELS."},
	{"channels-wrong", draft + "§4.4.6.1", Must, "CHANNELS is the largest number of channels in the rendition."},
	{"captions-missing", apple + "4.4", Should, "Every variant with video says CLOSED-CAPTIONS, if only NONE."},
	{
		"captions-unannounced", draft + "§4.4.6.2", Should,
		"CEA-608 captions within the pictures have a member in the variant's group; with CLOSED-CAPTIONS=NONE there are none.",
	},
	{"instream-id-form", draft + "§4.4.6.1", Must, "INSTREAM-ID of captions is CC1 to CC4 or SERVICE1 to SERVICE63, each once in a group."},
	{"captions-partial", draft + "§4.4.6.2", Must, "CLOSED-CAPTIONS=NONE stands on all variants or on none."},
	{"i-frame-playlist-missing", apple + "6.1", Should, "There is an I-frame playlist."},
	{
		"independent-segments-missing", apple + "9.11", Should,
		"EXT-X-INDEPENDENT-SEGMENTS stands in the multivariant playlist, or in every video playlist.",
	},
	{"steering-form", draft + "§4.4.6.6", Must, "EXT-X-CONTENT-STEERING has SERVER-URI, and a PATHWAY-ID that a variant has."},
	{"multivariant-changed", apple + "10.2", Should, "Clients read the multivariant playlist once: it goes on listing the same playlists."},
	{"playlist-mixed", draft + "§4.4.6", Must, "A playlist has tags of a multivariant playlist or of a media playlist."},
}
