/* How frequent each allele is among all people in all inputs, without showing anybody's genotype.
 *
 * Inputs: VCF files, of one person or many. Output: for each site `CHROM POS REF ALT AC AN AF`, tab separated, in the order
 * in which sites are met: count of each alternative allele, alleles read, and frequencies to four decimals, cut off.
 *
 * Argument: the smallest group, a number. It only raises LEAST_GROUP, which is part of the program and so of what an owner
 * allows. With fewer people the program gives up; a site that fewer people have read is left out. Nobody counts twice:
 * a sample name that was met before ends the program.
 */

#include "walrus.h"

#define LEAST_GROUP 5
#define MOST_SITES 65536u
#define MOST_PEOPLE 65536u
#define MOST_ALLELES 5
#define TEXT_BYTES (64u << 20)
#define LINE_BYTES (1u << 20)
#define FIXED_COLUMNS 9

typedef struct {
    const char *text; /* CHROM, POS, REF, ALT, with tabs between */
    uint32_t length, alternatives;
    uint64_t counts[MOST_ALLELES]; /* of allele 0, the reference's, and the others */
    uint32_t people;
} site;

typedef struct {
    const char *text;
    uint32_t length;
} field;

static walrus_stream stream;
static char texts[TEXT_BYTES];
static uint32_t texts_length;
static char line[LINE_BYTES];
static site sites[MOST_SITES];
static field names[MOST_PEOPLE];
static uint32_t site_count, people;
static uint32_t site_slots[2 * MOST_SITES], name_slots[2 * MOST_PEOPLE]; /* 0 is free, else a number from 1 */

static int same(const char *a, uint32_t a_length, const char *b, uint32_t b_length) {
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static uint32_t hash(const char *text, uint32_t length) {
    uint32_t state = 2166136261u;
    for (uint32_t at = 0; at < length; at++) state = (state ^ (uint8_t)text[at]) * 16777619u;
    return state ^ state >> 15;
}

static const char *keep(const char *text, uint32_t length) {
    if (length > TEXT_BYTES - texts_length) walrus_fail("more names and sites than fit");
    char *kept = texts + texts_length;
    memcpy(kept, text, length);
    texts_length += length;
    return kept;
}

/* One line without its end into `line`; its length, or -1 behind the last. */
static int64_t next_line(void) {
    uint32_t length = 0;
    int byte = walrus_next(&stream);
    if (byte < 0) return -1;
    for (; byte >= 0 && byte != '\n'; byte = walrus_next(&stream)) {
        if (length == LINE_BYTES) walrus_fail("a line is longer than a mebibyte");
        line[length++] = (char)byte;
    }
    return length && line[length - 1] == '\r' ? length - 1 : length;
}

/* The field from `*at` on, which moves behind its tab. */
static field next_field(uint32_t *at, uint32_t length) {
    field found = {line + *at, 0};
    while (*at + found.length < length && found.text[found.length] != '\t') found.length++;
    *at += found.length + 1;
    return found;
}

static void add_person(field name) {
    if (people == MOST_PEOPLE) walrus_fail("more than 65,536 people");
    uint32_t slot = hash(name.text, name.length) % (2 * MOST_PEOPLE);
    for (; name_slots[slot]; slot = (slot + 1) % (2 * MOST_PEOPLE)) {
        field known = names[name_slots[slot] - 1];
        if (same(known.text, known.length, name.text, name.length)) walrus_fail("a sample is there twice");
    }
    names[people].text = keep(name.text, name.length);
    names[people].length = name.length;
    name_slots[slot] = ++people;
}

static site *find_site(const char *text, uint32_t length, uint32_t alternatives) {
    uint32_t slot = hash(text, length) % (2 * MOST_SITES);
    for (; site_slots[slot]; slot = (slot + 1) % (2 * MOST_SITES)) {
        site *known = &sites[site_slots[slot] - 1];
        if (same(known->text, known->length, text, length)) return known;
    }
    if (site_count == MOST_SITES) walrus_fail("more than 65,536 sites");
    site *made = &sites[site_count];
    made->text = keep(text, length);
    made->length = length;
    made->alternatives = alternatives;
    site_slots[slot] = ++site_count;
    return made;
}

/* Counts a genotype such as 0|1:35; one with a dot in it was not read. */
static void count_genotype(site *at, field genotype) {
    uint32_t alleles[4], number = 0, ploidy = 0, digits = 0;
    for (uint32_t place = 0; place <= genotype.length; place++) {
        char byte = place < genotype.length ? genotype.text[place] : ':';
        if (byte >= '0' && byte <= '9' && digits < 3) {
            number = number * 10 + (uint32_t)(byte - '0');
            digits++;
        } else if (byte == '|' || byte == '/' || byte == ':') {
            if (!digits || number > at->alternatives || ploidy == 4) return;
            alleles[ploidy++] = number;
            number = digits = 0;
            if (byte == ':') break;
        } else {
            return;
        }
    }
    for (uint32_t which = 0; which < ploidy; which++) at->counts[alleles[which]]++;
    at->people++;
}

static void read_site(uint32_t length, uint32_t columns) {
    uint32_t at = 0, before_id, alternatives = 1, key_length = 0;
    static char key[LINE_BYTES];
    field chromosome = next_field(&at, length), position = next_field(&at, length);
    (void)chromosome;
    before_id = (uint32_t)(position.text - line) + position.length;
    next_field(&at, length);
    uint32_t reference_at = at;
    next_field(&at, length);
    field alternative = next_field(&at, length);
    if (at > length) walrus_fail("a line has too few columns");
    memcpy(key, line, before_id);
    key_length = before_id;
    key[key_length++] = '\t';
    uint32_t rest = (uint32_t)(alternative.text - line) + alternative.length - reference_at;
    memcpy(key + key_length, line + reference_at, rest);
    key_length += rest;
    for (uint32_t place = 0; place < alternative.length; place++) alternatives += alternative.text[place] == ',';
    if (alternatives >= MOST_ALLELES) walrus_fail("a site has more than four alternative alleles");
    for (uint32_t column = 5; column + 1 < FIXED_COLUMNS; column++) next_field(&at, length);
    field format = next_field(&at, length);
    if (format.length < 2 || memcmp(format.text, "GT", 2)) return; /* no genotypes here */
    site *found = find_site(key, key_length, alternatives);
    uint32_t read = 0;
    while (at <= length) {
        count_genotype(found, next_field(&at, length));
        read++;
    }
    if (read != columns) walrus_fail("a line has other columns than its header");
}

static void read_input(uint32_t index) {
    uint32_t columns = 0;
    int headed = 0;
    walrus_open(&stream, index);
    for (int64_t got; (got = next_line()) >= 0;) {
        uint32_t length = (uint32_t)got, at = 0;
        if (length == 0 || (length > 1 && line[0] == '#' && line[1] == '#')) continue;
        if (line[0] == '#') {
            if (headed) walrus_fail("an input has two headers");
            headed = 1;
            for (uint32_t column = 0; column < FIXED_COLUMNS; column++) next_field(&at, length);
            for (; at <= length; columns++) add_person(next_field(&at, length));
            continue;
        }
        if (!headed) walrus_fail("an input is no VCF file");
        if (columns) read_site(length, columns);
    }
}

static void print_frequency(uint64_t count, uint64_t all) {
    uint64_t scaled = count * 10000 / all;
    char digits[4];
    walrus_print_number(scaled / 10000);
    walrus_print(".");
    for (int place = 3; place >= 0; place--, scaled /= 10) digits[place] = (char)('0' + scaled % 10);
    walrus_put(digits, sizeof digits);
}

static void print_site(const site *shown) {
    uint64_t all = 0;
    for (uint32_t allele = 0; allele <= shown->alternatives; allele++) all += shown->counts[allele];
    walrus_put(shown->text, shown->length);
    walrus_print("\t");
    for (uint32_t allele = 1; allele <= shown->alternatives; allele++) {
        if (allele > 1) walrus_print(",");
        walrus_print_number(shown->counts[allele]);
    }
    walrus_print("\t");
    walrus_print_number(all);
    walrus_print("\t");
    for (uint32_t allele = 1; allele <= shown->alternatives; allele++) {
        if (allele > 1) walrus_print(",");
        print_frequency(shown->counts[allele], all);
    }
    walrus_print("\n");
}

void program(void) {
    uint64_t least = walrus_argument_number(LEAST_GROUP);
    if (least < LEAST_GROUP) least = LEAST_GROUP;
    for (uint32_t index = 0; index < walrus_input_count(); index++) read_input(index);
    if (people < least) walrus_fail("the group is too small");
    walrus_print("#CHROM\tPOS\tREF\tALT\tAC\tAN\tAF\n");
    for (uint32_t number = 0; number < site_count; number++)
        if (sites[number].people >= least) print_site(&sites[number]);
}
