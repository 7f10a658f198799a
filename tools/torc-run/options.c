/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "options.h"
#include "workdir.h"

/* What the hypervisor takes: modules, and bytes of all strings with their paths. */
#define MODULES_MAXIMUM 64
#define STRINGS_MAXIMUM 16384

/* What hypervisor and boot loader need beside the modules, found by trying, with some to spare. */
#define MEMORY_MINIMUM (8 * MIB)
#define MEMORY_MINIMUM_UEFI (96 * MIB)

const char *const firmware_names[FIRMWARE_COUNT] = { "kernel", "bios", "uefi" };

enum {
	KEY_MACHINE = 256,
	KEY_FIRMWARE,
	KEY_CPUS,
	KEY_MEMORY,
	KEY_TIMEOUT,
	KEY_ICOUNT,
	KEY_REBOOT,
	KEY_DOMAIN,
	KEY_HYPERVISOR,
	KEY_HYPERVISOR_WORDS,
	KEY_GDB,
	KEY_EMULATOR_ARGUMENT,
};

static const struct argp_option option_table[] = {
	{ NULL, 0, NULL, 0, "Domains:", 1 },
	{ "domain", KEY_DOMAIN, "name=N,kernel=F[,...]", 0,
	  "A domain to start; give it once for each. Keys: name; kernel, an ELF file; initrd, a "
	  "file; mem, a size (default 256M); maxmem, what it may grow to; "
	  "vcpus (1 to 32, default 1); weight, of its share of the processors (1 to 65535, "
	  "default 256); cap, percent of one processor that it may use at most "
	  "(default 0: no cap); cpus, a list of those that may run it, as in 0-1,,3 "
	  "(default: all); privileges, what it may do to other domains, as in "
	  "create+control+memory, or all; cmdline, the guest's command line. A comma in a value is "
	  "written twice.",
	  1 },
	{ "reboot", KEY_REBOOT, NULL, 0,
	  "Start a domain anew when it reboots. Without this, a reboot ends the domain.", 1 },

	{ NULL, 0, NULL, 0, "Machine:", 2 },
	{ "machine", KEY_MACHINE, "qemu|bochs", 0, "The emulator (default qemu).", 2 },
	{ "firmware", KEY_FIRMWARE, "kernel|bios|uefi", 0,
	  "How the hypervisor is loaded: by the emulator itself (kernel; default with qemu), or by "
	  "GRUB from a disc under BIOS (default with bochs) or UEFI. Bochs knows bios only.",
	  2 },
	{ "cpus", KEY_CPUS, "N", 0, "Processors of the machine (default 1).", 2 },
	{ "mem", KEY_MEMORY, "SIZE", 0,
	  "Memory of the machine: a number with K, M or G (default: what the domains need, and "
	  "what hypervisor and boot take).",
	  2 },
	{ "icount", KEY_ICOUNT, NULL, 0,
	  "Time goes by instructions executed, one a nanosecond, so that runs repeat exactly "
	  "(qemu only).",
	  2 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "Switch the machine off after this time.", 2 },

	{ NULL, 0, NULL, 0, "Development:", 3 },
	{ "hypervisor", KEY_HYPERVISOR, "FILE", 0,
	  "Hypervisor image (default: hypervisor/torc32.elf beside this program with "
	  "--firmware=kernel, else hypervisor/torc.elf).",
	  3 },
	{ "hypervisor-args", KEY_HYPERVISOR_WORDS, "WORDS", 0,
	  "Words to add to the hypervisor's command line; may be repeated. It logs those that it "
	  "does not know.",
	  3 },
	{ "emulator-arg", KEY_EMULATOR_ARGUMENT, "WORD", 0,
	  "A word to add to the emulator's command line; may be repeated.", 3 },
	{ "gdb", KEY_GDB, "PORT", OPTION_ARG_OPTIONAL,
	  "Wait for gdb on this TCP port (default 1234) before the first instruction "
	  "(qemu only).",
	  3 },
	{ "verbose", 'v', NULL, 0, "Print the emulator's command line on stderr.", 3 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const char documentation[] =
	"Boots the Torc hypervisor with guests in an emulated machine."
	"\v"
	"Guest consoles go to stdout, each line led by its domain's name when there is more than "
	"one; the hypervisor's log goes to stderr. Input goes to the first domain; Ctrl-T "
	"switches to the next. When stdin is a terminal, it is in raw mode meanwhile: "
	"Ctrl-A x ends the machine, Ctrl-A a sends a Ctrl-A, Ctrl-A h helps.\n"
	"\n"
	"Exit status:\n"
	"  0    every domain shut down of its own accord\n"
	"  1    a domain crashed or was refused\n"
	"  2    wrong usage, or a file that cannot be read\n"
	"  3    the hypervisor itself panicked\n"
	"  4    the emulator failed, or a tool is missing\n"
	"  124  time ran out\n"
	"  130  ended by Ctrl-A x or Ctrl-C (128 + number of the signal)\n"
	"\n"
	"Examples:\n"
	"  torc-run --domain name=hello,kernel=build/guests/hello.elf\n"
	"  torc-run --timeout 60 --mem 1G \\\n"
	"    --domain name=a,kernel=guest.elf,initrd=user.gz,mem=256M \\\n"
	"    --domain name=b,kernel=guest.elf,initrd=user.gz,cmdline='quiet x=1,,2'\n";

static void add_domain(struct options *options, const char *specification)
{
	struct domain *domain;

	options->domains = reallocarray(options->domains, options->domain_count + 1,
					sizeof(*options->domains));
	if (!options->domains)
		die(STATUS_EMULATOR, "out of memory");
	domain = &options->domains[options->domain_count];
	domain_parse(specification, domain);
	for (size_t i = 0; i < options->domain_count; i++)
		if (!strcmp(options->domains[i].name, domain->name))
			die(STATUS_USAGE, "two domains have the name '%s'", domain->name);
	options->domain_count++;
}

static void set_machine(struct options *options, const char *name)
{
	options->machine = machine_find(name);
	if (!options->machine)
		die(STATUS_USAGE, "--machine '%s' is neither qemu nor bochs", name);
}

static void set_firmware(struct options *options, const char *name)
{
	for (int i = 0; i < FIRMWARE_COUNT; i++) {
		if (!strcmp(name, firmware_names[i])) {
			options->firmware = (enum firmware)i;
			return;
		}
	}
	die(STATUS_USAGE, "--firmware '%s' is not kernel, bios or uefi", name);
}

static void set_memory(struct options *options, const char *value)
{
	if (size_parse(value, &options->memory) || options->memory % MIB)
		die(STATUS_USAGE, "--mem '%s' is not a size in whole MiB such as 512M or 2G",
		    value);
}

static void set_timeout(struct options *options, const char *value)
{
	char *end;

	options->timeout = strtod(value, &end);
	if (strspn(value, "0123456789.") != strlen(value) || end == value || *end ||
	    !isfinite(options->timeout) || options->timeout <= 0)
		die(STATUS_USAGE, "--timeout '%s' is not a number of seconds above zero", value);
}

static void set_cpus(struct options *options, const char *value)
{
	if (number_parse(value, 1, ULONG_MAX, &options->cpus))
		die(STATUS_USAGE, "--cpus '%s' is not a number above zero", value);
}

static void set_gdb_port(struct options *options, const char *value)
{
	if (number_parse(value ? value : "1234", 1, 65535, &options->gdb_port))
		die(STATUS_USAGE, "--gdb '%s' is not a port number from 1 to 65535", value);
}

/* A word that torc-run says itself would be overruled silently: the first of its kind counts. */
static void add_hypervisor_words(struct options *options, const char *value)
{
	static const struct {
		const char *name, *why;
	} taken[] = {
		{ "log", "torc-run reads the log itself" },
		{ "exit", "torc-run says it itself" },
		{ "reboot", "it is what --reboot says" },
		{ "--", "it would end the command line" },
	};
	char *rest = text("%s", value), *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (!*word)
			continue;
		for (const char *at = word; *at; at++)
			if (iscntrl((unsigned char)*at))
				die(STATUS_USAGE, "--hypervisor-args has a control character");
		for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
			if (!strcmp(text("%.*s", (int)strcspn(word, "="), word), taken[i].name))
				die(STATUS_USAGE, "--hypervisor-args: '%s' cannot be given: %s",
				    word, taken[i].why);
		list_add(&options->hypervisor_words, "%s", word);
	}
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_MACHINE:
		set_machine(options, argument);
		return 0;
	case KEY_FIRMWARE:
		set_firmware(options, argument);
		return 0;
	case KEY_CPUS:
		set_cpus(options, argument);
		return 0;
	case KEY_MEMORY:
		set_memory(options, argument);
		return 0;
	case KEY_TIMEOUT:
		set_timeout(options, argument);
		return 0;
	case KEY_ICOUNT:
		options->icount = true;
		return 0;
	case KEY_REBOOT:
		options->reboot = true;
		return 0;
	case KEY_DOMAIN:
		add_domain(options, argument);
		return 0;
	case KEY_HYPERVISOR:
		options->hypervisor = argument;
		return 0;
	case KEY_HYPERVISOR_WORDS:
		add_hypervisor_words(options, argument);
		return 0;
	case KEY_GDB:
		set_gdb_port(options, argument);
		return 0;
	case KEY_EMULATOR_ARGUMENT:
		list_add(&options->emulator_arguments, "%s", argument);
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		die(STATUS_USAGE, "'%s' is no option", argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void find_hypervisor(struct options *options)
{
	const char *image = options->firmware == FIRMWARE_KERNEL ? "torc32.elf" : "torc.elf";
	char self[PATH_MAX];
	ssize_t length;
	char *given = options->hypervisor;

	if (!given) {
		length = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (length < 0)
			die(STATUS_EMULATOR, "/proc/self/exe: %s", strerror(errno));
		self[length] = '\0';
		given = text("%s/hypervisor/%s", dirname(self), image);
	}
	options->hypervisor = realpath(given, NULL);
	if (!options->hypervisor || access(options->hypervisor, R_OK))
		die(STATUS_USAGE, "hypervisor image '%s': %s", given, strerror(errno));
}

static void collect_modules(struct options *options)
{
	options->modules = calloc(2 * options->domain_count, sizeof(*options->modules));
	if (!options->modules)
		die(STATUS_EMULATOR, "out of memory");
	for (size_t i = 0; i < options->domain_count; i++)
		options->module_count += domain_modules(&options->domains[i],
							&options->modules[options->module_count]);
	if (options->module_count > MODULES_MAXIMUM)
		die(STATUS_USAGE, "kernels and initrds are %zu files; %d is the most",
		    options->module_count, MODULES_MAXIMUM);
}

/* Either boot loader puts the path of a file before its words; torc-run's are short. */
static void check_strings(const struct options *options)
{
	const size_t path = strlen(workdir_path("module00 ")) + 1;
	size_t bytes = path;

	for (size_t i = 0; i < options->hypervisor_words.count; i++)
		bytes += strlen(options->hypervisor_words.items[i]) + 1;
	for (size_t i = 0; i < options->module_count; i++)
		bytes += path + strlen(options->modules[i].words);
	if (bytes > STRINGS_MAXIMUM)
		die(STATUS_USAGE, "all command lines and names together have %zu bytes; %d is the "
		    "most", bytes, STRINGS_MAXIMUM);
}

/*
 * What the domains ask for, in whole chunks; the boot modules, which lie in memory until their
 * domain is built; what hypervisor (1.2 % and a few MiB) and firmware keep for themselves.
 */
static uint64_t memory_needed(const struct options *options)
{
	const uint64_t chunk = 2 * MIB;
	uint64_t bytes = 0;
	struct stat status;

	for (size_t i = 0; i < options->domain_count; i++)
		bytes += (options->domains[i].memory + chunk - 1) / chunk * chunk;
	for (size_t i = 0; i < options->module_count; i++)
		if (!stat(options->modules[i].path, &status))
			bytes += (uint64_t)status.st_size + chunk;
	bytes += bytes / 64 + 32 * MIB;
	if (options->firmware == FIRMWARE_UEFI)
		bytes += 128 * MIB;
	return (bytes + 4 * MIB - 1) / (4 * MIB) * (4 * MIB);
}

/* Less, and the machine would hang or go off before there is a hypervisor that could complain. */
static void check_memory(const struct options *options)
{
	uint64_t least = options->firmware == FIRMWARE_UEFI ? MEMORY_MINIMUM_UEFI : MEMORY_MINIMUM;
	struct stat status;

	for (size_t i = 0; i < options->module_count; i++)
		if (!stat(options->modules[i].path, &status))
			least += ((uint64_t)status.st_size + MIB - 1) / MIB * MIB;
	if (options->memory < least)
		die(STATUS_USAGE, "--mem %s is too little: hypervisor and boot modules take %s",
		    size_text(options->memory), size_text(least));
}

static void check_combination(struct options *options)
{
	const struct machine *machine = options->machine;

	if (!options->domain_count)
		die(STATUS_USAGE, "no --domain is given");
	if (options->firmware == FIRMWARE_COUNT)
		options->firmware = machine_firmware_default(machine);
	if (!(machine->firmwares & 1u << options->firmware))
		die(STATUS_USAGE, "--machine %s cannot boot by --firmware %s", machine->name,
		    firmware_names[options->firmware]);
	if (options->cpus > machine->cpus_maximum)
		die(STATUS_USAGE, "--cpus %lu: --machine %s has at most %lu", options->cpus,
		    machine->name, machine->cpus_maximum);
	if (options->icount && !machine->gives_icount)
		die(STATUS_USAGE, "--icount is not possible with --machine %s", machine->name);
	if (options->gdb_port && !machine->gives_icount)
		die(STATUS_USAGE, "--gdb is not possible with --machine %s", machine->name);
}

void options_parse(int argc, char **argv, struct options *options)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.doc = documentation,
	};

	*options = (struct options){
		.machine = &machine_qemu,
		.firmware = FIRMWARE_COUNT,
		.cpus = 1,
	};
	list_add(&options->hypervisor_words, "log=com2");
	list_add(&options->hypervisor_words, "exit=isa-debug");
	argp_err_exit_status = STATUS_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, options);
	check_combination(options);
	find_hypervisor(options);
	collect_modules(options);
	if (!options->memory)
		options->memory = memory_needed(options);
	check_memory(options);
	if (options->reboot)
		list_add(&options->hypervisor_words, "reboot=allow");
	check_strings(options);
}
