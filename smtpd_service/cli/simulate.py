"""`pulsebox simulate`: a deadline's load on a mailbox, computed on paper or really sent."""

from smtpd_service.cli import load
from smtpd_service.cli import loadoptions as o
from smtpd_service.cli.load import Load
from smtpd_service.cli.options import Json
from smtpd_service.cli.predicted import predict
from storage.records import WhenFull


def simulate(
    *,
    messages: o.Messages = None,
    window: o.Window = "48h",
    rush: o.Rush = "2h",
    rush_share: o.RushShare = 60.0,
    peak: o.Peak = 5.0,
    mix: o.Mix = None,
    spread: o.Spread = 0.5,
    quota: o.LimitOctets = None,
    quota_messages: o.LimitMessages = "none",
    grace: o.Grace = "0",
    rate: o.Rate = "none",
    when_full: o.Mode = WhenFull.BOUNCE,
    raises: o.Raises = None,
    purges: o.Purges = None,
    retry: o.Retry = "300s,4000s,5d",
    again: o.Again = 25.0,
    again_after: o.AgainAfter = "4h",
    seed: o.Seed = 2025,
    chart: o.Chart = None,
    send: o.Send = None,
    to: o.To = None,
    duration: o.Duration = "60s",
    connections: o.Connections = 20,
    max_rate: o.MaxRate = 2000.0,
    max_octets: o.MaxOctets = "2GB",
    single: o.Single = 50.0,
    reuse: o.Reuse = 20,
    linger: o.Linger = "10s",
    log: o.Log = None,
    yes_to: o.YesTo = None,
    json: Json = False,
) -> int:
    """Replay a deadline: when the mailbox is full, who is refused, who gets in later.

    pulsebox simulate --quota 50GB --when-full defer --raise -30min=150GB --chart course.svg

    pulsebox simulate --send 127.0.0.1:2525 --to hr@agency.example --messages 5000 --duration 60s
    """
    curve = load.curve_of(window, rush, rush_share, peak)
    limit = load.quota_of(quota or "50GB", quota_messages, grace, rate)
    house = load.house_of(limit, when_full, raises or (), purges or (), curve)
    told = Load(curve, load.sizes_of(mix, spread), house, load.senders_of(retry, again, again_after), messages, seed)
    if send is None:
        return predict(told, chart, json=json)
    from smtpd_service.cli import sending  # noqa: PLC0415  # the service's loop and the letters, for this alone

    bounds = sending.Bounds(connections, max_rate, max_octets, single, reuse, linger, duration)
    target, files = sending.Target(send, to, yes_to), sending.Files(log, chart)
    return sending.send_all(told.to_send(known=quota is not None), target, bounds, files, json=json)
