#include "core/pipeline/ftp_detect.h"

#include <algorithm>
#include <cctype>

namespace ftpsensor {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view skip_spaces(std::string_view text) {
    const auto at = text.find_first_not_of(' ');
    return at == std::string_view::npos ? std::string_view{} : text.substr(at);
}

// A line begins with USER and a space.
bool has_user(std::string_view text) {
    const auto is_user = [](std::string_view line) {
        line = skip_spaces(line);
        static constexpr std::string_view user = "USER ";
        return line.size() >= user.size() && std::equal(user.begin(), user.end(), line.begin(), [](char a, char b) {
                   return a == std::toupper(static_cast<unsigned char>(b));
               });
    };
    if (is_user(text)) return true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] == '\n' || text[i] == '\r') && is_user(text.substr(i + 1))) return true;
    }
    return false;
}

// A code of the greeting and what is not a digit. True while `text` may still become one, too.
bool may_greet(std::string_view text) {
    const auto start = text.find_first_not_of("\n\r ");
    if (start == std::string_view::npos) return true;
    text.remove_prefix(start);
    for (const std::string_view code : {"220", "120"}) {
        const auto n = std::min(code.size(), text.size());
        if (text.substr(0, n) == code.substr(0, n)) return text.size() < 4 || !is_digit(text[3]);
    }
    return false;
}

bool asks_for_login(std::string_view line) {
    line = skip_spaces(line);
    return line.size() >= 4 && (line.starts_with("230") || line.starts_with("331")) && !is_digit(line[3]);
}

bool has_login_reply(std::string_view text) {
    const auto start = text.find_first_not_of("\n\r ");
    if (start == std::string_view::npos || text.size() < start + 4 || !may_greet(text)) return false;
    text.remove_prefix(start + 4); // the code and one more character, whatever it is
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] == '\n' || text[i] == '\r') && asks_for_login(text.substr(i + 1))) return true;
    }
    return false;
}

} // namespace

bool may_begin_ftp(std::string_view responder) {
    constexpr std::size_t kCode = 4; // what may_greet() looks at: a code and what follows it
    const auto start = responder.find_first_not_of("\n\r ");
    if (start == std::string_view::npos) return true;
    return responder.substr(start, kCode).find('\xff') != std::string_view::npos || may_greet(responder);
}

Detection detect_ftp(std::string_view originator, std::string_view responder) {
    if (!may_greet(responder)) return Detection::other;
    if (has_login_reply(responder) && has_user(originator)) return Detection::ftp;
    return originator.size() + responder.size() > kDetectBytesMax ? Detection::other : Detection::undecided;
}

std::string strip_telnet(std::string_view text) {
    constexpr char kIac = '\xff', kSb = '\xfa', kWill = '\xfb';
    constexpr std::string_view kSubEnd = "\xff\xf0";
    std::string stripped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != kIac) {
            stripped += text[i];
            continue;
        }
        if (++i == text.size()) break;
        if (text[i] == '\n') { // as TelnetLineReader: it ends the line
            --i;
        } else if (text[i] == kIac) {
            stripped += kIac;
        } else if (text[i] == kSb) {
            const std::size_t end = std::min(text.find(kSubEnd, i), text.find('\n', i));
            if (end == std::string_view::npos) break;
            i = text[end] == '\n' ? end - 1 : end + 1;
        } else if (static_cast<unsigned char>(text[i]) >= static_cast<unsigned char>(kWill)) {
            if (i + 1 < text.size() && text[i + 1] != '\n') ++i; // WILL, WONT, DO, DONT: an option follows
        }
    }
    return stripped;
}

} // namespace ftpsensor
