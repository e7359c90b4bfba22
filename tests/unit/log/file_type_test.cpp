// The type of a file by its first bytes.
#include "core/log/file_type.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <time.h>

using namespace ftpsensor;
using namespace std::string_literals;

namespace {

std::string tar_header() {
    std::string header = "notes.txt";
    header.resize(100, '\0');
    header += "0000644\0"s + "0001750\0"s + "0001750\0"s + "00000000012\0"s + "14707060425\0"s + "012345\0 "s + "0";
    return header;
}

std::string zip_entry(std::string_view name) {
    std::string entry = "PK\x03\x04"s + std::string(22, '\x01');
    return entry + "\x08\0\0\0"s + std::string(name);
}

} // namespace

TEST_CASE("every pattern of the table can be read, and no row is there twice", "[file_type]") {
    std::set<std::string> rows;
    for (const FileType& type : file_types()) {
        INFO(type.name << " " << type.pattern);
        CHECK(rows.insert(std::string(type.name) + " " + std::string(type.pattern)).second);
        CHECK(std::count(type.name.begin(), type.name.end(), '/') == 1);
    }
    CHECK(file_type("").empty());
}

TEST_CASE("text is what begins with ten characters of it", "[file_type]") {
    CHECK(file_type("0123456789") == "text/plain");
    CHECK(file_type("012345678").empty());
    CHECK(file_type("\xef\xbb\xbf"
                    "0123456789") == "text/plain");
    CHECK(file_type("\xef\xbb\xbf"
                    "012345678")
              .empty());
    CHECK(file_type("\xff\xfe\0\0"s + "0123456789") == "text/plain");
    CHECK(file_type("012345\x01"
                    "789")
              .empty());
    CHECK(file_type("0123456789\xff\xff") == "text/plain");
    CHECK(file_type("drwxr-xr-x   2 ftp ftp 4096 Nov 26 12:00 pub\r\n") == "text/plain");
    CHECK(file_type("\n\n\n\n\n\n\n\n\n\n") == "text/plain");
    CHECK(file_type("Grüße aus Köln").empty());
}

TEST_CASE("JSON is known by how it begins, however long it is", "[file_type]") {
    CHECK(file_type(R"({"name": "value", "more": [1, 2)") == "text/json");
    CHECK(file_type("\r\n { key : 17") == "text/json");
    CHECK(file_type("[1, 2, 3") == "text/json");
    CHECK(file_type(R"(["a","b")") == "text/json");
    CHECK(file_type("[{") == "text/json");
    CHECK(file_type("{ this is not JSON") == "text/plain");
    CHECK(file_type(R"({"a": null})") == "text/plain");
    CHECK(file_type("[12]").empty());
}

TEST_CASE("pages by their first element, behind blanks, comments and a declaration", "[file_type]") {
    CHECK(file_type("<html><body>hi") == "text/html");
    CHECK(file_type("<!DOCTYPE html>\n<html>") == "text/html");
    CHECK(file_type(" \r\n<!-- a -- b -->\t<!-- c --> <TITLE>x") == "text/html");
    CHECK(file_type("<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC") == "text/html");
    CHECK(file_type("\xef\xbb\xbf<html>") == "text/html");
    CHECK(file_type("A page follows: <html>") == "text/plain");
    CHECK(file_type("<?xml version=\"1.0\"?>\n<data/>") == "application/xml");
    CHECK(file_type("<?xml version=\"1.0\"?>\n<rss version=\"2.0\">") == "text/rss");
    CHECK(file_type("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">") ==
          "text/atom");
    CHECK(file_type("<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">") == "image/svg+xml");
    CHECK(file_type("<soap:Envelope xmlns:soap=") == "application/soap+xml");
    CHECK(file_type("<?xml version=\"1.0\"?>\n<!-- <html> --><data/>") == "application/xml");
}

TEST_CASE("scripts and settings", "[file_type]") {
    CHECK(file_type("#!/bin/sh\necho") == "text/x-shellscript");
    CHECK(file_type("#!/usr/bin/env bash\n") == "text/x-shellscript");
    CHECK(file_type("#!/usr/bin/python3\n") == "text/x-python");
    CHECK(file_type("#! /usr/bin/perl -w\n") == "text/x-perl");
    CHECK(file_type("import os\nprint('x')\n") == "text/plain");
    CHECK(file_type("<?php echo 1; ?>") == "text/x-php");
    CHECK(file_type("text and then\n<?php ") == "text/x-php");
    CHECK(file_type("@echo off\r\n") == "text/x-msdos-batch");
    CHECK(file_type("[section]\r\nkey=value\r\n") == "text/ini");
    CHECK(file_type("--- a/x\n+++ b/x\n@@ -1 +1 @@\n") == "text/x-diff");
    CHECK(file_type("-----BEGIN CERTIFICATE-----\nMIIC") == "application/x-pem");
    CHECK(file_type("From: ann@example.com\n") == "message/rfc822");
}

TEST_CASE("archives, and the documents that are some", "[file_type]") {
    CHECK(file_type(tar_header()) == "application/x-tar");
    CHECK(file_type("\x1f\x8b\x08") == "application/x-gzip");
    CHECK(file_type("BZh91AY") == "application/x-bzip2");
    CHECK(file_type("\xfd"s + "7zXZ\0"s) == "application/x-xz");
    CHECK(file_type("7z\xbc\xaf\x27\x1c") == "application/x-7z-compressed");
    CHECK(file_type("Rar!\x1a\x07") == "application/x-rar");
    CHECK(file_type("!<arch>\ndebian-binary") == "application/x-debian-package");
    CHECK(file_type("!<arch>\nx.o/") == "application/x-archive");
    CHECK(file_type(zip_entry("notes.txt")) == "application/zip");
    CHECK(file_type(zip_entry("mimetypeapplication/vnd.oasis.opendocument.textPK")) ==
          "application/vnd.oasis.opendocument.text");
    CHECK(file_type(zip_entry("mimetypeapplication/vnd.oasis.opendocument.text-template")) ==
          "application/vnd.oasis.opendocument.text-template");
    const std::string word =
        zip_entry("[Content_Types].xml") + std::string(300, '\x02') + zip_entry("word/document.xml");
    CHECK(file_type(word) == "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    CHECK(file_type("PK\x03\x04\x14\0\x06\0"s + std::string(40, '\0')) ==
          "application/vnd.openxmlformats-officedocument");
}

TEST_CASE("programs, pictures, sound and moving pictures", "[file_type]") {
    CHECK(file_type("MZ\x90") == "application/x-dosexec");
    CHECK(file_type("\x7f"
                    "ELF\x02\x01\x01"s +
                    std::string(9, '\0') + "\x03\0"s) == "application/x-sharedlib");
    CHECK(file_type("\xca\xfe\xba\xbe\0\0\0\x34"s) == "application/x-java-applet");
    CHECK(file_type("\xca\xfe\xba\xbe\0\0\0\x02"s) == "application/x-mach-o-executable");
    CHECK(file_type("%PDF-1.7") == "application/pdf");
    CHECK(file_type("\x89PNG\r\n\x1a\n") == "image/png");
    CHECK(file_type("\xff\xd8\xff\xe0") == "image/jpeg");
    CHECK(file_type("GIF89a") == "image/gif");
    CHECK(file_type("BM"s + std::string(12, '\0') + "\x28\0"s) == "image/x-ms-bmp");
    CHECK(file_type("RIFF\x24\0\0\0WAVEfmt "s) == "audio/x-wav");
    CHECK(file_type("ID3\x03") == "audio/mpeg");
    CHECK(file_type("\0\0\0\x20"
                    "ftypisom"s) == "video/mp4");
    CHECK(file_type("\0\0\x01\xba\x44"s) == "video/mpeg"); // which is stronger than video/mp2p
    CHECK(file_type("\x1a\x45\xdf\xa3\x01\x02\x42\x82\x88matroska") == "video/x-matroska");
    CHECK(file_type(std::string(4096, '\0')).empty());
    CHECK(file_type("\x01\x02\x03\x04").empty());
}

TEST_CASE("of several that fit the strongest counts, of equals the first by the alphabet", "[file_type]") {
    CHECK(file_type("MZ is how this text begins") == "application/x-dosexec"); // not text
    CHECK(file_type("\0\0\x01\xb3"s) == "video/mpv");                          // not video/mpeg
    // Both of strength 70: an ARC archive by its third and fourth bytes, an icon's by none.
    CHECK(file_type("GDB\x1a").empty());
    CHECK(file_type("IIR\x1aO").empty());
    CHECK(file_type("MAC \x14\x1a") == "audio/x-ape");
}

// Of processor time, so that what else runs on the machine does not count; the least of some rounds.
std::int64_t nanoseconds_to_type(std::string_view bytes) {
    std::int64_t least = INT64_MAX;
    for (int round = 0; round < 5; ++round) {
        timespec before{}, after{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        file_type(bytes);
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        least = std::min<std::int64_t>(least,
                                       (after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec);
    }
    return least;
}

TEST_CASE("bytes made to take long take no more than in proportion to their length", "[file_type]") {
    for (const std::string& piece : {"<!--"s, " "s, "<?xml "s, "P1"s, "--- \n"s, "<!-- -->"s}) {
        CAPTURE(piece);
        std::string bytes;
        while (bytes.size() < 4096) bytes += piece;
        bytes.resize(4096);
        CHECK(nanoseconds_to_type(bytes) < 8 * nanoseconds_to_type(bytes.substr(0, 512)));
    }
}
