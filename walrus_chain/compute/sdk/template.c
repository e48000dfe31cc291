/* Counts how often a byte occurs in all inputs together. The byte is the argument's first; a line feed without one. */

#include "walrus.h"

static walrus_stream stream;

void program(void) {
    uint8_t wanted = '\n';
    uint64_t found = 0;
    walrus_read_argument(0, &wanted, 1);
    for (uint32_t index = 0; index < walrus_input_count(); index++) {
        walrus_open(&stream, index);
        for (int byte; (byte = walrus_next(&stream)) >= 0;) found += byte == wanted;
    }
    walrus_print_number(found);
    walrus_print("\n");
}
