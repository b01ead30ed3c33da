package rules

// httpRules are those of HTTP.
var httpRules = []Rule{
	{"playlist-gone", draft + "§6.2.1", Must, "A playlist that is listed can be fetched."},
	{"playlist-unavailable", draft + "§6.2.5.2", Should, "The server is there; a player asks again."},
	{"media-unavailable", draft + "§6.2.1", Should, "The server is there when media are asked for; a player asks again."},
	{
		"cors-missing", "Fetch standard §3.2, Apple's example origin", Must,
		"Every answer has Access-Control-Allow-Origin, errors included: players in browsers see nothing else.",
	},
	{"playlist-type", draft + "§4, " + apple + "10.4", Should, "Playlists have the type application/vnd.apple.mpegurl or audio/mpegurl."},
	{"media-type", apple + "10.4", Should, "Media have the type of their format."},
	{
		"gzip-missing", draft + "§6.2.1, " + apple + "10.1", Should,
		"Playlists are compressed for clients that can read that. Half of them are read in zstd.",
	},
	{"vary-missing", "RFC 9110 §12.5.5", Should, "A compressed playlist has Vary: Accept-Encoding."},
	{"cache-control-missing", draft + "appendix B.1", Should, "Answers have Cache-Control."},
	{"cache-control-long", draft + "appendix B.1", Should, "A live playlist may be kept for half a target duration."},
	{
		"cache-control-short", draft + "appendix B.1", Should,
		"The answer to a blocking request, and media, may be kept for six target durations.",
	},
	{"media-redirected", apple + "8.18", Should, "Media and media playlists are not redirected."},
	{"http-1", draft + "appendix B.1", Should, "A low-latency stream over TLS is served with HTTP/2 or HTTP/3."},
	{"last-modified-old", apple + "8.24", Should, "Last-Modified of a live playlist is at most three target durations before Date."},
	{"etag-missing", "RFC 9110 §8.8.3", Should, "Media, which never change, have an ETag or Last-Modified."},
	{"range-ignored", draft + "appendix B.1, RFC 9110 §14.2", Should, "A request for a range of a segment gets 206 and these bytes."},
}
