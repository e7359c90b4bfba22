// What of a worker's options can change while it runs. Made by another thread, swapped in by the worker between bursts
// (Worker::take), so that it neither allocates nor frees.
#pragma once

#include "core/pipeline/pipeline_options.h"

#include <vector>

namespace ftpsensor {

struct PipelineUpdate {
    explicit PipelineUpdate(const PipelineOptions& options, bool first_interims = false)
        : fragment_timeouts(options.decode.fragment_timeouts), conn(options.conn, first_interims), ftp(options.ftp),
          ftp_only(options.ftp_only), ftp_port(65536, false) {
        for (const auto port : options.conn.ftp_ports) ftp_port[port] = true;
    }

    FragmentTimeouts fragment_timeouts;
    ConnUpdate conn;
    FtpOptions ftp;
    bool ftp_only;
    std::vector<bool> ftp_port;
};

} // namespace ftpsensor
