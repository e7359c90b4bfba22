// The FTP session of the document that ftpsensor implements (Zeek's page on ftp.log), as packets.
//
// The document gives the lines of both sides, the endpoints, the counts of packets and bytes, the histories and some of
// the times; what it leaves open (where the pure ACKs stand, the times between) is chosen so that all of those come
// out:
//
//     control   192.168.4.76:53380 -> 196.216.2.24:21     20 packets, 1232 IP bytes, 184 payload bytes up; 17, 1343 and
//                                                         451 down; ShAdDafF; SF; 3.780829906463623 s
//     data      192.168.4.76:60474 -> 196.216.2.24:31746  4 packets, 216 IP bytes up; 4, 290 and 74 payload bytes down;
//                                                         ShAdfFa; SF; 0.9965000152587891 s
#pragma once

#include "tests/support/capture_writer.h"

namespace ftpsensor::test {

Trace mission_session();

} // namespace ftpsensor::test
