/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain.h"

#define NAME_MAXIMUM  31 /* characters; the ABI's limit */
#define VCPUS_MAXIMUM 32 /* the hypervisor's limit */
#define WEIGHT_MAXIMUM 65535
#define CAP_MAXIMUM 6400 /* percent of one CPU */
#define CMDLINE_MAXIMUM 4095 /* a page, as the ABI has it */

struct key {
	const char *name;
	void (*set)(struct domain *domain, char *value);
};

static void set_name(struct domain *domain, char *value)
{
	const char *at;

	if (strlen(value) > NAME_MAXIMUM)
		die(STATUS_USAGE, "--domain: name '%s' is longer than %d characters", value,
		    NAME_MAXIMUM);
	for (at = value; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
			die(STATUS_USAGE,
			    "--domain: name '%s': only letters, digits, '-', '_' and '.' are "
			    "allowed",
			    value);
	domain->name = value;
}

static void set_kernel(struct domain *domain, char *value)
{
	domain->kernel = value;
}

static void set_initrd(struct domain *domain, char *value)
{
	domain->initrd = value;
}

static void set_memory(struct domain *domain, char *value)
{
	if (size_parse(value, &domain->memory))
		die(STATUS_USAGE, "--domain: mem '%s' is not a size such as 512M or 2G", value);
}

static void set_vcpus(struct domain *domain, char *value)
{
	if (number_parse(value, 1, VCPUS_MAXIMUM, &domain->vcpus))
		die(STATUS_USAGE, "--domain: vcpus '%s' is not a number from 1 to %d", value,
		    VCPUS_MAXIMUM);
}

/* What it does not say is left to the hypervisor, as is which CPUs there are. */
static void add_word(struct domain *domain, const char *key, const char *value)
{
	domain->share = text("%s %s=%s", domain->share, key, value);
}

static void set_weight(struct domain *domain, char *value)
{
	unsigned long weight;

	if (number_parse(value, 1, WEIGHT_MAXIMUM, &weight))
		die(STATUS_USAGE, "--domain: weight '%s' is not a number from 1 to %d", value,
		    WEIGHT_MAXIMUM);
	add_word(domain, "weight", value);
}

static void set_cap(struct domain *domain, char *value)
{
	unsigned long cap;

	if (number_parse(value, 0, CAP_MAXIMUM, &cap))
		die(STATUS_USAGE, "--domain: cap '%s' is not a percentage from 0 to %d", value,
		    CAP_MAXIMUM);
	add_word(domain, "cap", value);
}

static void set_cpus(struct domain *domain, char *value)
{
	if (value[strspn(value, "0123456789,-")])
		die(STATUS_USAGE, "--domain: cpus '%s' is not a list such as 0-1,,3", value);
	add_word(domain, "cpus", value);
}

static void set_most_memory(struct domain *domain, char *value)
{
	uint64_t bytes;

	if (size_parse(value, &bytes))
		die(STATUS_USAGE, "--domain: maxmem '%s' is not a size such as 512M or 2G", value);
	add_word(domain, "maxmem", size_text(bytes));
}

static void set_privileges(struct domain *domain, char *value)
{
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz+")])
		die(STATUS_USAGE, "--domain: privileges '%s' is not a list such as create+control",
		    value);
	add_word(domain, "privileges", value);
}

static void set_cmdline(struct domain *domain, char *value)
{
	if (strlen(value) > CMDLINE_MAXIMUM)
		die(STATUS_USAGE, "--domain: cmdline has %zu characters; %d is the most",
		    strlen(value), CMDLINE_MAXIMUM);
	domain->cmdline = value;
}

static const struct key keys[] = {
	{ "name", set_name },  { "kernel", set_kernel }, { "initrd", set_initrd },
	{ "mem", set_memory }, { "vcpus", set_vcpus },	 { "cmdline", set_cmdline },
	{ "cap", set_cap },    { "weight", set_weight }, { "cpus", set_cpus },
	{ "maxmem", set_most_memory }, { "privileges", set_privileges },
};

/*
 * Cuts the next "key=value" off at a single comma, halving double ones in place.
 * Returns NULL at the end.
 */
static char *next_field(char **rest)
{
	char *field = *rest, *from, *to;

	if (!field)
		return NULL;
	for (from = to = field; *from; *to++ = *from++) {
		if (*from != ',')
			continue;
		if (from[1] != ',')
			break;
		from++;
	}
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return field;
}

static void set_field(struct domain *domain, char *field, bool seen[])
{
	char *value = strchr(field, '=');
	size_t i;

	if (!value)
		die(STATUS_USAGE,
		    "--domain: '%s' is not key=value (a comma in a value is written twice)", field);
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(field, keys[i].name))
			break;
	if (i == ARRAY_SIZE(keys))
		die(STATUS_USAGE,
		    "--domain: unknown key '%s' (known: name, kernel, initrd, mem, "
		    "maxmem, vcpus, weight, cap, cpus, privileges, cmdline)",
		    field);
	if (seen[i])
		die(STATUS_USAGE, "--domain: key '%s' is given twice", field);
	if (!*value && keys[i].set != set_cmdline)
		die(STATUS_USAGE, "--domain: key '%s' has no value", field);
	for (const char *at = value; *at; at++)
		if (iscntrl((unsigned char)*at))
			die(STATUS_USAGE, "--domain: key '%s' has a control character in its value",
			    field);
	seen[i] = true;
	keys[i].set(domain, value);
}

/* The emulator gets files through links elsewhere, so the path becomes absolute here. */
static char *readable_file(const struct domain *domain, const char *what, const char *path)
{
	struct stat status;
	char *absolute;

	if (stat(path, &status) || access(path, R_OK))
		die(STATUS_USAGE, "domain %s: %s '%s': %s", domain->name, what, path,
		    strerror(errno));
	if (!S_ISREG(status.st_mode))
		die(STATUS_USAGE, "domain %s: %s '%s' is not a regular file", domain->name, what,
		    path);
	absolute = realpath(path, NULL);
	if (!absolute)
		die(STATUS_USAGE, "domain %s: %s '%s': %s", domain->name, what, path,
		    strerror(errno));
	return absolute;
}

void domain_parse(const char *specification, struct domain *domain)
{
	bool seen[ARRAY_SIZE(keys)] = { false };
	char *rest = text("%s", specification);
	char *field;

	*domain = (struct domain){ .memory = DOMAIN_MEMORY_DEFAULT,
				     .vcpus = 1,
				     .share = "" };
	while ((field = next_field(&rest)) != NULL)
		set_field(domain, field, seen);
	if (!domain->name)
		die(STATUS_USAGE, "--domain '%s' has no name=", specification);
	if (!domain->kernel)
		die(STATUS_USAGE, "domain %s has no kernel=", domain->name);
	domain->kernel = readable_file(domain, "kernel", domain->kernel);
	if (domain->initrd)
		domain->initrd = readable_file(domain, "initrd", domain->initrd);
}

unsigned int domain_modules(const struct domain *domain, struct module modules[2])
{
	bool cmdline = domain->cmdline && *domain->cmdline;

	modules[0] = (struct module){
		.path = domain->kernel,
		.words = text("domain name=%s mem=%s vcpus=%lu%s%s%s", domain->name,
			      size_text(domain->memory), domain->vcpus, domain->share,
			      cmdline ? " -- " : "", cmdline ? domain->cmdline : ""),
	};
	if (!domain->initrd)
		return 1;
	modules[1] = (struct module){ .path = domain->initrd, .words = text("initrd") };
	return 2;
}
