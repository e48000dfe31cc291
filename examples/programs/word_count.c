/* Counts lines, words and bytes of all inputs together, as `wc` does for ASCII. */

#include "walrus.h"

static walrus_stream stream;

void program(void) {
    uint64_t lines = 0, words = 0, bytes = 0;
    for (uint32_t index = 0; index < walrus_input_count(); index++) {
        int inside = 0; /* of a word */
        walrus_open(&stream, index);
        while (walrus_fill(&stream)) {
            bytes += stream.length;
            for (uint32_t at = 0; at < stream.length; at++) {
                uint8_t byte = stream.window[at];
                int space = byte == ' ' || (byte >= '\t' && byte <= '\r');
                lines += byte == '\n';
                words += inside && space;
                inside = !space;
            }
        }
        words += inside;
    }
    walrus_print_number(lines);
    walrus_print(" lines\n");
    walrus_print_number(words);
    walrus_print(" words\n");
    walrus_print_number(bytes);
    walrus_print(" bytes\n");
}
