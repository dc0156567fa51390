//! The process's numbers, as an operator reads them.

use api::Metric;
use rustix::time::{ClockId, clock_gettime};

use crate::media_plane::MediaCounters;
use crate::outbound::{Channels, Standing};
use crate::services::Services;

/// Everything that is counted, as of now.
pub(crate) async fn collect(services: &Services) -> Vec<Metric> {
    let mut metrics = of_process(services);
    metrics.extend(of_queue(&services.outbound.standing()));
    if let Some(counters) = services.endpoint.counters().await {
        metrics.extend(of_sip(&counters));
    }
    metrics.extend(of_media(&services.media.counters()));
    metrics
}

/// What tells whether more nodes are needed, or fewer.
fn of_process(services: &Services) -> Vec<Metric> {
    let (live, lost) = (&services.live, &services.lost_calls);
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu_ms = cpu.tv_sec * 1_000 + cpu.tv_nsec / 1_000_000;
    vec![
        metric("calls", "Calls that are up", live.count() as u64),
        metric(
            "calls_max",
            "Calls that this process takes at a time",
            services.limits.max_calls as u64,
        ),
        metric(
            "draining",
            "1 when the process is about to stop and takes no further call",
            live.is_closed().into(),
        ),
        metric(
            "cpu_milliseconds_total",
            "Time on a processor, user and system",
            cpu_ms.unsigned_abs(),
        ),
        metric(
            "dialogs_kept_total",
            "Answered calls whose dialogs are on the disk",
            lost.kept(),
        ),
        metric(
            "calls_hung_up_late_total",
            "Calls of a process before this one that were hung up",
            lost.hung_up(),
        ),
    ]
}

fn of_queue(standing: &Standing) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (class, waits) in standing.waits.by_class() {
        for (state, count) in [("due", waits.due), ("later", waits.later)] {
            metrics.push(Metric {
                labels: vec![("priority", class.to_string()), ("state", state.to_owned())],
                ..metric(
                    "queue_calls",
                    "Calls that wait: for room, or for their time",
                    count as u64,
                )
            });
        }
    }
    metrics.extend([
        metric(
            "outbound_attempts_total",
            "Calls begun, out of the queue or by a story",
            standing.attempts,
        ),
        metric(
            "outbound_congested_total",
            "Calls begun that met a full line (503)",
            standing.congested,
        ),
    ]);
    let channels = |name, help, count: fn(&Channels) -> u32| {
        standing.channels.iter().map(move |channels| Metric {
            labels: vec![
                ("trunk", channels.trunk.to_string()),
                ("prefix", channels.prefix.clone().unwrap_or_default()),
            ],
            ..metric(name, help, count(channels).into())
        })
    };
    metrics.extend(channels(
        "trunk_channels_in_use",
        "Calls of a trunk, both directions; with a prefix, of those numbers",
        |channels| channels.taken,
    ));
    metrics.extend(channels(
        "trunk_channels_max",
        "Channels that are configured, or fewer where the far end taught that",
        |channels| channels.most,
    ));
    metrics
}

fn of_sip(sip: &sip::Counters) -> [Metric; 9] {
    [
        metric(
            "sip_requests_total",
            "Valid requests, retransmissions too",
            sip.requests,
        ),
        metric(
            "sip_responses_total",
            "Valid responses, retransmissions too",
            sip.responses,
        ),
        metric(
            "sip_malformed_total",
            "Datagrams that are no valid message",
            sip.malformed,
        ),
        metric(
            "sip_refused_total",
            "Requests of no peer's, answered 403",
            sip.refused,
        ),
        metric(
            "sip_overloaded_total",
            "Requests answered 503 because a bound was reached",
            sip.overloaded,
        ),
        metric(
            "sip_drained_total",
            "Requests answered 503 because the process is about to stop",
            sip.drained,
        ),
        metric(
            "sip_retransmissions_absorbed_total",
            "Requests that came again",
            sip.retransmissions_absorbed,
        ),
        metric(
            "sip_retransmissions_sent_total",
            "Messages sent again",
            sip.retransmissions_sent,
        ),
        metric(
            "sip_strays_total",
            "Responses and ACKs of no call",
            sip.strays,
        ),
    ]
}

fn of_media(media: &MediaCounters) -> Vec<Metric> {
    let rows = [
        ("rtp_legs", "Calls with media", media.legs as u64),
        ("rtp_packets_sent_total", "RTP packets sent", media.sent),
        (
            "rtp_send_errors_total",
            "RTP packets that could not be sent",
            media.send_errors,
        ),
        (
            "rtp_packets_received_total",
            "RTP packets received",
            media.received,
        ),
        (
            "rtp_packets_lost_total",
            "RTP packets that never came",
            media.lost,
        ),
        (
            "rtp_packets_refused_total",
            "RTP packets of strangers",
            media.refused,
        ),
        (
            "rtp_packets_malformed_total",
            "Datagrams that are no RTP packet",
            media.malformed,
        ),
        (
            "rtp_events_dropped_total",
            "Digits and playback ends that a call had no room for",
            media.dropped_events,
        ),
        (
            "rtp_frames_dropped_total",
            "Frames that nobody heard",
            media.dropped_frames,
        ),
        (
            "rtp_packets_relayed_total",
            "Packets passed on as they came",
            media.relayed,
        ),
        (
            "rtp_frames_transcoded_total",
            "Frames decoded and encoded again",
            media.transcoded,
        ),
        (
            "rtp_orders_dropped_total",
            "Orders that a media thread had no room for",
            media.dropped_orders,
        ),
        (
            "rtp_rounds_skipped_total",
            "Rounds of 20 ms that a media thread missed",
            media.skipped_rounds,
        ),
        ("rtp_slots_late_total", "Slots paced late", media.late_slots),
        (
            "rtp_slot_lateness_max_microseconds",
            "The latest slot so far",
            media.max_lateness_us,
        ),
        (
            "rtp_slot_lateness_p50_microseconds",
            "Half of the slots were no later",
            media.lateness_us(0.50).unwrap_or(0),
        ),
        (
            "rtp_slot_lateness_p99_microseconds",
            "99 of 100 slots were no later",
            media.lateness_us(0.99).unwrap_or(0),
        ),
    ];
    rows.map(|(name, help, value)| metric(name, help, value))
        .into()
}

const fn metric(name: &'static str, help: &'static str, value: u64) -> Metric {
    Metric {
        name,
        help,
        labels: Vec::new(),
        value,
    }
}
