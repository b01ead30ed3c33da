// Package origin is the HTTP server between workers and viewers.
//
// Workers put parts, with a bearer token:
//
//	POST /ingest/v1/{feed}/session                    claims the feed; answers where each rendition goes on
//	GET  /ingest/v1/{feed}                            answers the same without a claim
//	PUT  /ingest/v1/{feed}/{rendition}/init           an init section
//	PUT  /ingest/v1/{feed}/{rendition}/{msn}/{part}   a part
//	PUT  /ingest/v1/{feed}/{msn}/thumbnail            a segment's thumbnail
//
// Viewers get Low-Latency HLS (RFC 8216bis, server profile of its appendix B.1), a page to watch it on, and a list of feeds:
//
//	GET /live/{feed}/index.m3u8                       the multivariant playlist
//	GET /live/{feed}/{rendition}/index.m3u8           a media playlist, with _HLS_msn, _HLS_part and _HLS_skip
//	GET /live/{feed}/{rendition}/iframes.m3u8         its I-frames, for trick play; likewise under /dvr and /vod
//	GET /live/{feed}/{rendition}/{msn}.m4s            a segment
//	GET /live/{feed}/{rendition}/{msn}.{part}.m4s     a part; the hinted one is held until it is whole
//	GET /live/{feed}/{rendition}/init.{version}.mp4   an init section
//	GET /dvr/{feed}/index.m3u8                        the same, as far back as there is media; media lie under /live
//	GET /dvr/{feed}/{rendition}/index.m3u8
//	GET /vod/{feed}/index.m3u8?from=T&to=T            a piece of the past, complete; RFC 3339 or seconds since 1970
//	GET /vod/{feed}/{rendition}/index.m3u8?from=T&to=T
//	GET /live/{feed}/thumbnail.jpg                    the newest thumbnail
//	GET /live/{feed}/thumbnail.{msn}.jpg              that of a segment
//	GET /dvr/{feed}/storyboard.vtt                    thumbnails of the DVR, as WebVTT with places in sprites
//	GET /dvr/{feed}/storyboard.{first}-{last}.jpg     a sprite
//	GET /vod/{feed}/storyboard.vtt?from=T&to=T
//	GET /ts/{feed}/index.m3u8, dvr.m3u8               plain HLS in MPEG-TS, if the ladder asks for it
//	GET /ts/{feed}/{rendition}/index.m3u8, dvr.m3u8   a media playlist: video with its sound, or sound alone
//	GET /ts/{feed}/{rendition}/{msn}.ts               a segment, made of what is stored when it is asked for
//	GET /, /watch/{feed}, /healthz
//	GET /api/v1/feeds, /api/v1/feeds/{feed}/events
//	GET /api/v1/clips, /api/v1/clips/{clip}           the clips there are, and how far they are
//	GET /api/v1/clips/{clip}.mp4                      the file
//
// Who shows the token can do more:
//
//	POST /api/v1/feeds/{feed}/events                  adds timed metadata: EXT-X-DATERANGE in all playlists of the feed
//	POST /api/v1/clips                                has an MP4 cut: {"feed", "from", "to", "rendition"}
//	DELETE /api/v1/clips/{clip}
//
// A rendition on demand is listed like any other. A GET of its playlist, init section or media is demand: workers are told, and
// media that are listed and not made yet are waited for, up to 4 s. What is still not there then gets 503. HEAD is no demand.
//
// With ?ll=0 on the multivariant playlist the playlists have no low-latency tags.
package origin
