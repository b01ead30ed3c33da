#!/usr/bin/python3
"""Plays an HLS URL with GStreamer's playbin3 and hlsdemux2, headless: gst.py URL

Standard output has a JSON document a line, as trial.js sends them; standard input has the commands, one a line.
"""
import base64
import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GLib", "2.0")
from gi.repository import GLib, Gst  # noqa: E402

SAMPLE_MS = 250
# The test card as testcard.Read gets it, and the rows of it in which the bar lies.
WIDTH, HEIGHT = 320, 180
BAR = slice(25 * 5 * WIDTH, 33 * 5 * WIDTH)
# Below and above every rendition, in bit/s.
LOW, HIGH = 1, 2**31 - 1
# GstPlayFlags: video, audio, soft-volume, native-video. Without the last, playsink scales before we see which rendition it is.
FLAGS = 0x1 | 0x2 | 0x10 | 0x40


def tell(message):
    print(json.dumps(message), flush=True)


class Player:
    def __init__(self, url):
        self.height, self.picture, self.demuxer, self.decoded = 0, None, None, 0
        self.bin = Gst.ElementFactory.make("playbin3")
        self.bin.set_property("uri", url)
        self.bin.set_property("flags", FLAGS)
        self.bin.set_property("video-sink", self.video_sink())
        audio = Gst.ElementFactory.make("fakesink")
        audio.set_property("sync", True)
        self.bin.set_property("audio-sink", audio)
        self.bin.connect("deep-element-added", self.element_added)
        bus = self.bin.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.message)

    def video_sink(self):
        sink = Gst.parse_bin_from_description(
            "identity name=counter ! videoconvert ! videoscale ! "
            f"video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT} ! fakesink name=screen sync=true qos=true signal-handoffs=true", True)
        sink.get_by_name("counter").get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.caps)
        self.screen = sink.get_by_name("screen")
        self.screen.connect("handoff", self.shown)
        return sink

    def caps(self, _pad, info):
        event = info.get_event()
        if event.type == Gst.EventType.CAPS:
            self.height = event.parse_caps().get_structure(0).get_int("height").value
        return Gst.PadProbeReturn.OK

    def shown(self, _sink, buffer, _pad):
        self.decoded += 1
        self.picture = buffer

    def element_added(self, _bin, _parent, element):
        if element.get_factory() and element.get_factory().get_name() == "hlsdemux2":
            self.demuxer = element

    def message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            error, detail = message.parse_error()
            tell({"troubles": [{"text": f"{error.message} {detail}", "fatal": True}]})
        elif message.type == Gst.MessageType.WARNING:
            warning, detail = message.parse_warning()
            tell({"troubles": [{"text": f"{warning.message} {detail}", "fatal": False}]})
        elif message.type == Gst.MessageType.EOS:
            tell({"troubles": [{"text": "end of stream", "fatal": True}]})
        elif message.type == Gst.MessageType.BUFFERING:
            # What every application of playbin does: pause while the buffer fills. A live pipeline must not.
            if not self.live:
                self.bin.set_state(Gst.State.PLAYING if message.parse_buffering() == 100 else Gst.State.PAUSED)

    def position(self):
        ok, at = self.bin.query_position(Gst.Format.TIME)
        return at / Gst.SECOND if ok else 0

    def sample(self):
        bar = ""
        if self.picture:
            ok, data = self.picture.map(Gst.MapFlags.READ)
            if ok:
                bar = base64.b64encode(bytes(data.data[BAR])).decode()
                self.picture.unmap(data)
        stats = self.screen.get_property("stats")
        dropped = stats.get_uint64("dropped").value if stats else 0
        tell({"sample": {"at": int(time.time() * 1000), "position": self.position() if self.picture else 0, "height": self.height,
                         "decoded": self.decoded + dropped, "dropped": dropped, "bar": bar}})
        return True

    def obey(self, channel, _condition):
        command = channel.readline()
        if not command:
            loop.quit()
            return False
        command = command.strip()
        if command == "lowest":
            self.demuxer.set_property("max-bitrate", LOW)
        elif command == "highest":
            self.demuxer.set_property("max-bitrate", 0)
            self.demuxer.set_property("connection-bitrate", HIGH)
        elif command == "back":
            self.seek(self.position() - 20)
        elif command == "live":
            self.seek(self.edge())
        return True

    def edge(self):
        """Where one plays who joins now: hlsdemux2 ends the seekable range at the hold-back."""
        query = Gst.Query.new_seeking(Gst.Format.TIME)
        if not self.bin.query(query):
            return self.position() + 20
        _, _, _, end = query.parse_seeking()
        return end / Gst.SECOND

    def seek(self, to):
        if not self.bin.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT, int(max(to, 0) * Gst.SECOND)):
            tell({"troubles": [{"text": f"seek to {to} s is refused", "fatal": True}]})

    def play(self):
        tell({"loading": True})
        self.live = self.bin.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.NO_PREROLL
        GLib.timeout_add(SAMPLE_MS, self.sample)
        # The file descriptor is read by lines: buffered reading would hide what the loop waits for.
        GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.obey)


Gst.init(None)
if len(sys.argv) == 2 and sys.argv[1] == "--version":
    if not Gst.ElementFactory.find("hlsdemux2") or not Gst.ElementFactory.find("avdec_h264"):
        sys.exit("GStreamer has no hlsdemux2 or no avdec_h264")
    print(Gst.version_string())
    sys.exit()
loop = GLib.MainLoop()
player = Player(sys.argv[1])
player.play()
loop.run()
player.bin.set_state(Gst.State.NULL)
