#!/usr/bin/python3
"""An RTSP camera made of GStreamer's gst-rtsp-server, for the end-to-end tests.

usage: gst.py PORT NAME=PIPELINE...

Each PIPELINE is a gst-launch description with payloaders pay0, pay1 …; it is served at rtsp://127.0.0.1:PORT/NAME.
With USER_NAME and PASSWORD in the environment every path asks for them by Digest. Prints "ready" when it listens.
"""
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def protect(server, user, password):
    """Lets only this user, by Digest, see and play what the server has."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def factory(description, protected):
    """Returns a factory whose one pipeline is shared by all clients, as in a camera."""
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(f"( {description} )")
    made.set_shared(True)
    if protected:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        made.set_permissions(permissions)
    return made


def main(port, streams):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    user, password = os.environ.get("USER_NAME"), os.environ.get("PASSWORD")
    if user:
        protect(server, user, password)
    mounts = server.get_mount_points()
    for stream in streams:
        name, description = stream.split("=", 1)
        mounts.add_factory(f"/{name}", factory(description, protected=bool(user)))
    if not server.attach(None):
        sys.exit(f"gst.py: cannot listen on port {port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
