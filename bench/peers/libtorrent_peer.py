"""A libtorrent peer that speaks the bench's line protocol (see line-client.ts).

Usage: libtorrent_peer.py OPTIONS-AS-JSON        seeds or leeches one torrent
       libtorrent_peer.py --create OPTIONS-AS-JSON   makes a torrent: {"source", "target", "pieceLength", "kind", "announce"}
"""

import json
import os
import sys
import threading

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


def serve(options):
    seeding = options["mode"] == "seed"
    session = lt.session(
        dict(
            QUIET,
            listen_interfaces=options["address"] + ":0",
            outgoing_interfaces="",
            alert_mask=int(lt.alert.category_t.status_notification)
            | int(lt.alert.category_t.error_notification),
        )
    )
    while session.listen_port() == 0:
        session.wait_for_alert(100)
    say(event="ready", port=session.listen_port(), version=lt.version)
    handle = None
    commands = sys.stdin

    def watch():
        done = False
        while True:
            session.wait_for_alert(200)
            for alert in session.pop_alerts():
                if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert)):
                    print(alert.message(), file=sys.stderr, flush=True)
                if isinstance(alert, lt.torrent_finished_alert) and not done:
                    done = True
                    say(event="done")

    for line in commands:
        peers = json.loads(line)["begin"]
        if handle is None:
            parameters = lt.add_torrent_params()
            parameters.ti = lt.torrent_info(options["torrent"])
            parameters.save_path = options["directory"]
            flags = lt.torrent_flags
            parameters.flags &= ~(flags.paused | flags.auto_managed | flags.duplicate_is_error)
            if seeding:
                parameters.flags |= flags.seed_mode
            if options.get("uploadBytesPerSecond"):
                parameters.upload_limit = options["uploadBytesPerSecond"]
            threading.Thread(target=watch, daemon=True).start()
            handle = session.add_torrent(parameters)
        for peer in peers:
            handle.connect_peer((peer["host"], peer["port"]))
        say(event="begun")


if sys.argv[1] == "--create":
    create(json.loads(sys.argv[2]))
else:
    serve(json.loads(sys.argv[1]))
    os._exit(0)  # stdin closed: nothing to save, and a session takes seconds to say good-bye
