#include "config/manual.h"

#include "config/config.h"
#include "config/keys.h"
#include "config/units.h"

#include <fmt/format.h>

namespace ftpsensor {
namespace {

constexpr std::string_view kDescription =
    R"(The configuration of
.BR ftpsensord (8),
in YAML. A key that is left out has its default. Unknown keys, wrong types and values out of range are errors:
.B ftpsensord check
says where and what would be right. One thing is to be set before the first start: the port, in
.BR capture.ports .
.PP
A key is written in its section, as the installed file shows. On the command line, and below, sections and key are
joined by dots:
.B \-\-set ftp.extended=false
wins over the file.
.PP
A running sensor takes changes at
.B systemctl reload ftpsensor
(SIGHUP), but for keys that need a restart. The journal says of each changed key whether it was taken; a file with an
error is refused as a whole.
)";

// Each instance of the template unit has a file of its own.
constexpr std::string_view kFiles =
    R"(.TP
.I /etc/ftpsensor/ftpsensor.yaml
read by
.BR ftpsensord (8)
and ftpsensor.service
.TP
.I /etc/ftpsensor/NAME.yaml
read by the instance ftpsensor@NAME.service
)";

// What roff would take for its own, as text. Hyphens stay hyphens to copy: names of keys and values are to be typed.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (result.empty() && (c == '.' || c == '\'')) result += "\\&";
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else {
            result += c;
        }
    }
    return result;
}

// As one argument of a macro: in quotes, where a quote is written twice.
std::string argument(std::string_view text) {
    std::string result = "\"";
    for (const char c : escaped(text)) result.append(c == '"' ? 2 : 1, c);
    return result + "\"";
}

// Long lines are roff's to break.
std::string key_entry(const Key& key, const Config& defaults) {
    return fmt::format(".TP\n.B {}\n{}\n.br\nTakes {}. Default:\n.BR {} .\n{}", escaped(key.path), escaped(key.help),
                       escaped(key.expects), argument(key.write(defaults)),
                       key.takes_effect == TakesEffect::at_restart ? "Needs a restart.\n" : "");
}

} // namespace

std::string config_manual(std::string_view version) {
    const Config defaults;
    std::string text =
        fmt::format(".\\\" Made from config/keys.cpp.\n.TH FTPSENSOR.YAML 5 \"\" \"ftpsensor {}\"\n", escaped(version));
    text +=
        ".SH NAME\nftpsensor.yaml \\- configuration of ftpsensord\n.SH SYNOPSIS\n.I /etc/ftpsensor/ftpsensor.yaml\n";
    text.append(".SH DESCRIPTION\n").append(kDescription);
    text += fmt::format(".PP\nSizes are whole numbers with {}. Durations are whole numbers with {}.\n", kSizeUnits,
                        kDurationUnits);
    text += ".SH KEYS\n";
    std::string_view current;
    for (const Key& key : all_keys()) {
        if (const auto path = section_of(key.path); path != current) {
            current = path;
            text += fmt::format(".SS {}\n{}\n", path.empty() ? "Without a section" : escaped(path),
                                path.empty() ? "" : escaped(find_section(path)->help));
        }
        text += key_entry(key, defaults);
    }
    text.append(".SH FILES\n").append(kFiles).append(".SH SEE ALSO\n.BR ftpsensord (8)\n");
    return text;
}

} // namespace ftpsensor
