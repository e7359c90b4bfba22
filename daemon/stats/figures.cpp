#include "daemon/stats/figures.h"

#include <array>

namespace ftpsensor {
namespace {

constexpr auto kCounter = FigureKind::counter;
constexpr auto kGauge = FigureKind::gauge;
constexpr bool kLoss = true;

using P = PortFigures;
constexpr std::array<Figure<P>, 17> kPort{{
    {"received_packets", kCounter, &P::received_packets, "Packets that the port delivered."},
    {"received_bytes", kCounter, &P::received_bytes, "Their bytes, from the Ethernet header on."},
    {"missed_packets", kCounter, &P::missed_packets, "Lost: the port had no free descriptor (AF_XDP: no frame).",
     kLoss},
    {"no_mbuf_packets", kCounter, &P::no_mbuf_packets,
     "Times that a queue found the pool of packet buffers empty. Packets wait for the next look; what is lost by it is "
     "missed."},
    {"kernel_dropped_packets", kCounter, &P::kernel_dropped_packets, "Lost: the kernel's ring was full (AF_PACKET).",
     kLoss},
    {"interface_dropped_packets", kCounter, &P::interface_dropped_packets,
     "Lost before that: the card's ring was full.", kLoss},
    {"interface_unclaimed_packets", kCounter, &P::interface_unclaimed_packets,
     "Dropped by the interface, or received by the sensor and wanted by nobody else: the kernel does not say which."},
    {"error_packets", kCounter, &P::error_packets, "Damaged frames.", kLoss},
    {"link_up", kGauge, &P::link_up, "Whether the link is up."},
    {"link_down_seconds", kCounter, &P::link_down_seconds, "How long the link was down: nothing was seen.", kLoss},
    {"shunt_rules", kGauge, &P::shunt_rules, "Flow rules of capture.shunt, two a transfer."},
    {"shunt_rules_added", kCounter, &P::shunt_rules_added, "Flow rules that the port took."},
    {"shunt_rules_refused", kCounter, &P::shunt_rules_refused, "Flow rules that it refused: the worker went on."},
    {"shunt_rules_stuck", kGauge, &P::shunt_rules_stuck, "Flow rules that it did not take away: it goes on dropping."},
    {"shunt_rules_untold", kCounter, &P::shunt_rules_untold,
     "Flow rules that went when the port may have counted more than it had told.", kLoss},
    {"shunted_packets", kCounter, &P::shunted_packets, "Counted by the port in place of a worker."},
    {"shunted_bytes", kCounter, &P::shunted_bytes, "Their bytes, as the port counts them."},
}};

using Q = QueueFigures;
constexpr std::array<Figure<Q>, 3> kQueue{{
    {"received_packets", kCounter, &Q::received_packets, "Packets that the worker fetched from the queue."},
    {"kernel_dropped_packets", kCounter, &Q::kernel_dropped_packets, "Lost: the queue's ring was full (AF_PACKET)."},
    {"error_packets", kCounter, &Q::error_packets, "Damaged or lost, where the driver tells them by queue."},
}};

using W = WorkerFigures;
constexpr std::array<Figure<W>, 25> kWorker{{
    {"packets", kCounter, &W::packets, "Packets that were analysed."},
    {"bytes", kCounter, &W::bytes, "Their bytes on the wire."},
    {"busy_seconds", kCounter, &W::busy_seconds, "Time spent on polls that brought packets or let time go on."},
    {"busy_ratio", kGauge, &W::busy_ratio, "Share of the time that was busy."},
    {"polls", kCounter, &W::polls, "Rounds over all its queues."},
    {"starved_polls", kCounter, &W::starved_polls, "Rounds in which packets waited: all buffers were between workers."},
    {"filtered_packets", kCounter, &W::filtered_packets, "Left out by capture.filter."},
    {"cut_packets", kCounter, &W::cut_packets, "Longer than their slot in the kernel's ring: not seen whole.", kLoss},
    {"gathered_packets", kCounter, &W::gathered_packets, "Came in several buffers and were copied together."},
    {"wrong_time_packets", kCounter, &W::wrong_time_packets, "Stamped ahead of the host's clock, which counts then."},
    {"rings_out_of_step", kCounter, &W::rings_out_of_step, "Rings whose slots did not fit the packets."},
    {"unread_packets", kCounter, &W::unread_packets, "Lost: in its queues at the end, for longer than it may take.",
     kLoss},
    {"steered_packets", kCounter, &W::steered_packets, "Handed to the workers that own them (capture.resteer)."},
    {"steering_dropped_packets", kCounter, &W::steering_dropped_packets,
     "Lost: the ring to the worker that owns them was full, or it had ended.", kLoss},
    {"steered_late_packets", kCounter, &W::steered_late_packets, "Taken after later ones: a worker was behind."},
    {"connections", kCounter, &W::connections, "Connections opened."},
    {"connections_open", kGauge, &W::connections_open, "Connections in the table."},
    {"connections_evicted", kCounter, &W::connections_evicted, "Recorded early, to make room in the table.", kLoss},
    {"ftp_sessions_open", kGauge, &W::ftp_sessions_open, "Control connections, and candidates on other ports."},
    {"payload_bytes", kCounter, &W::payload_bytes, "TCP payload captured, retransmissions included."},
    {"missed_bytes", kCounter, &W::missed_bytes, "TCP payload that was acknowledged but never captured: gaps.", kLoss},
    {"conn_records", kCounter, &W::conn_records, "Records of connections handed to the logger."},
    {"ftp_records", kCounter, &W::ftp_records, "Records of FTP handed to the logger."},
    {"conn_records_dropped", kCounter, &W::conn_records_dropped, "Records of connections lost: the queue was full.",
     kLoss},
    {"ftp_records_dropped", kCounter, &W::ftp_records_dropped, "Records of FTP lost: the queue was full.", kLoss},
}};

using R = RingFigures;
constexpr std::array<Figure<R>, 3> kRing{{
    {"steered_packets", kCounter, &R::steered_packets, "Packets that one worker handed to the other."},
    {"dropped_packets", kCounter, &R::dropped_packets, "Lost: the ring was full, or the other had ended."},
    {"waiting_packets", kGauge, &R::waiting_packets, "In the ring."},
}};

using L = LogFigures;
constexpr std::array<Figure<L>, 9> kLog{{
    {"entries", kCounter, &L::entries, "Entries written to files."},
    {"entries_lost", kCounter, &L::entries_lost, "Entries that could not be written for too long.", kLoss},
    {"entries_waiting", kGauge, &L::entries_waiting, "Entries that are not written yet."},
    {"text_bytes", kCounter, &L::text_bytes, "Bytes of entries, before compression."},
    {"file_bytes", kCounter, &L::file_bytes, "Bytes written to files."},
    {"files_rotated", kCounter, &L::files_rotated, "Files finished."},
    {"files_removed_by_others", kCounter, &L::files_removed_by_others,
     "Files that were gone before they were finished.", kLoss},
    {"write_errors", kCounter, &L::write_errors, "Attempts to open, write or rotate that failed."},
    {"failing", kGauge, &L::failing, "Whether writing fails at present."},
}};

constexpr std::array<Figure<EventFigures>, 1> kEvent{{
    {"count", kCounter, &EventFigures::count,
     "Named events: what is odd in the traffic, and bounds that were reached."},
}};

using S = SensorFigures;
constexpr std::array<Figure<S>, 8> kSensor{{
    {"uptime_seconds", kGauge, &S::uptime_seconds, "Since the sensor started."},
    {"logger_lag_seconds", kGauge, &S::logger_lag_seconds, "How far the written entries are behind the clock."},
    {"late_records", kCounter, &S::late_records, "Written later than their place in the order."},
    {"transfer_records_dropped", kCounter, &S::transfer_records_dropped,
     "Left out of the logger's memory to make room: entries may lack what they knew of transfers.", kLoss},
    {"retention_removed_files", kCounter, &S::retention_removed_files, "Finished logs removed by log.retention."},
    {"worker_skew_ratio", kGauge, &S::worker_skew_ratio, "Packets of the busiest worker, the mean being 1."},
    {"reloads", kCounter, &S::reloads, "Configurations that were taken while running."},
    {"reloads_refused", kCounter, &S::reloads_refused, "Configurations that were refused as a whole."},
}};

using T = Totals;
constexpr std::array<Figure<T>, 15> kTotals{{
    {"received_packets", kCounter, &T::received_packets, "Of all ports."},
    {"received_bytes", kCounter, &T::received_bytes, "Of all ports."},
    {"lost_packets", kCounter, &T::lost_packets,
     "Missed by the port, dropped by the interface, the kernel or between workers, or unread at the end."},
    {"error_packets", kCounter, &T::error_packets, "Of all ports."},
    {"connections", kCounter, &T::connections, "Of all workers."},
    {"connections_open", kGauge, &T::connections_open, "Of all workers."},
    {"connections_evicted", kCounter, &T::connections_evicted, "Of all workers."},
    {"ftp_sessions_open", kGauge, &T::ftp_sessions_open, "Of all workers."},
    {"conn_entries", kCounter, &T::conn_entries, "Written to conn.log."},
    {"ftp_entries", kCounter, &T::ftp_entries, "Written to ftp.log."},
    {"records_dropped", kCounter, &T::records_dropped, "Of both kinds and all workers."},
    {"entries_lost", kCounter, &T::entries_lost, "Of all logs."},
    {"payload_bytes", kCounter, &T::payload_bytes, "Of all workers."},
    {"missed_bytes", kCounter, &T::missed_bytes, "Of all workers."},
    {"missed_ratio", kGauge, &T::missed_ratio, "Share of TCP's payload that was never captured."},
}};

} // namespace

std::span<const Figure<PortFigures>> port_figures() { return kPort; }
std::span<const Figure<QueueFigures>> queue_figures() { return kQueue; }
std::span<const Figure<WorkerFigures>> worker_figures() { return kWorker; }
std::span<const Figure<RingFigures>> ring_figures() { return kRing; }
std::span<const Figure<LogFigures>> log_figures() { return kLog; }
std::span<const Figure<EventFigures>> event_figures() { return kEvent; }
std::span<const Figure<SensorFigures>> sensor_figures() { return kSensor; }
std::span<const Figure<Totals>> total_figures() { return kTotals; }

} // namespace ftpsensor
