#include "core/log/format.h"

namespace ftpsensor {

namespace {

std::variant<JsonWriter, TsvWriter> make_writer(const FormatOptions& o) {
    if (o.format == LogFormat::tsv)
        return TsvWriter(o.timestamps, o.system_name, o.node, o.extended, o.shunts, o.interim);
    return JsonWriter(o.timestamps, o.system_name, o.node, o.extended);
}

} // namespace

Formatter::Formatter(const FormatOptions& options) : writer_(make_writer(options)) {}

void Formatter::append(const ConnEntry& entry, TextBuffer& buffer) {
    std::visit([&](auto& writer) { writer.append(entry, buffer); }, writer_);
}

void Formatter::append(const FtpEntry& entry, TextBuffer& buffer) {
    std::visit([&](auto& writer) { writer.append(entry, buffer); }, writer_);
}

void Formatter::append_header(LogKind log, std::int64_t local_seconds, TextBuffer& buffer) const {
    if (const auto* tsv = std::get_if<TsvWriter>(&writer_)) tsv->append_header(log, local_seconds, buffer);
}

void Formatter::append_footer(std::int64_t local_seconds, TextBuffer& buffer) const {
    if (const auto* tsv = std::get_if<TsvWriter>(&writer_)) tsv->append_footer(local_seconds, buffer);
}

} // namespace ftpsensor
