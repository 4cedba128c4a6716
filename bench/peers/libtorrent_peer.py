"""A libtorrent peer that speaks the bench's line protocol (see line-client.ts).

Usage: libtorrent_peer.py OPTIONS-AS-JSON        seeds or leeches one torrent
       libtorrent_peer.py --create OPTIONS-AS-JSON   makes a torrent: {"source", "target", "pieceLength", "kind", "announce"}
"""

import json
import os
import select
import sys
import time

import libtorrent as lt

# DHT, local discovery and port mapping would talk to machines that have no part in this.
QUIET = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "out_enc_policy": int(lt.enc_policy.disabled),
    "in_enc_policy": int(lt.enc_policy.disabled),
    "unchoke_slots_limit": -1,
    "rate_limit_ip_overhead": False,
    "send_buffer_watermark": 3 * 1024 * 1024,
    "send_buffer_watermark_factor": 150,
    "max_out_request_queue": 1500,
    "max_allowed_in_request_queue": 2000,
}


def say(**event):
    print(json.dumps(event), flush=True)


def create(options):
    flags = {
        "v1": lt.create_torrent.v1_only,
        "v2": lt.create_torrent.v2_only,
        "hybrid": 0,
    }[options["kind"]]
    files = lt.file_storage()
    lt.add_files(files, options["source"])
    torrent = lt.create_torrent(files, piece_size=options["pieceLength"], flags=flags)
    for url in options.get("announce", []):
        torrent.add_tracker(url)
    lt.set_piece_hashes(torrent, os.path.dirname(options["source"]))
    with open(options["target"], "wb") as out:
        out.write(lt.bencode(torrent.generate()))


def commands(seconds):
    """The lines that came on stdin by now, waiting for at most so long; None once stdin is closed."""
    global pending
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return []
    received = os.read(sys.stdin.fileno(), 65536)
    if not received:
        return None
    *lines, pending = (pending + received).split(b"\n")
    return [json.loads(line) for line in lines]


def add(session, options):
    parameters = lt.add_torrent_params()
    parameters.ti = lt.torrent_info(options["torrent"])
    parameters.save_path = options["directory"]
    flags = lt.torrent_flags
    parameters.flags &= ~(flags.paused | flags.auto_managed | flags.duplicate_is_error)
    if options["mode"] == "seed":
        parameters.flags |= flags.seed_mode
    if options.get("superSeeding"):
        parameters.flags |= flags.super_seeding
    if options.get("uploadBytesPerSecond"):
        parameters.upload_limit = options["uploadBytesPerSecond"]
    return session.add_torrent(parameters)


def serve(options):
    # One thread for all: with a second one that reads alerts, 2.0.8's bindings crash now and then.
    categories = lt.alert.category_t
    session = lt.session(
        dict(
            QUIET,
            listen_interfaces=options["address"] + ":0",
            alert_mask=int(categories.status_notification) | int(categories.error_notification),
        )
    )
    while session.listen_port() == 0:
        time.sleep(0.01)
    say(event="ready", port=session.listen_port(), version=lt.version)
    handle = None
    finished = False
    while True:
        # While a torrent is under way, alerts wake it at once and commands may wait.
        lines = commands(0.1 if handle is None else 0)
        if lines is None:
            return
        for line in lines:
            if line.get("tell"):
                status = handle.status()
                say(event="payload", sent=status.total_payload_upload, received=status.total_payload_download)
                continue
            handle = handle or add(session, options)
            for peer in line["begin"]:
                handle.connect_peer((peer["host"], peer["port"]))
            say(event="begun")
        if handle is None:
            continue
        session.wait_for_alert(20)
        for alert in session.pop_alerts():
            if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert)):
                print(alert.message(), file=sys.stderr, flush=True)
            if isinstance(alert, lt.torrent_finished_alert) and not finished:
                finished = True
                say(event="done")


pending = b""
if sys.argv[1] == "--create":
    create(json.loads(sys.argv[2]))
else:
    serve(json.loads(sys.argv[1]))
    os._exit(0)  # stdin closed: nothing to save, and a session takes seconds to say good-bye
