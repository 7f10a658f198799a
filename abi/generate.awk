# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Torc authors
#
# Reads the tables it is given and writes, by -v mode=...
#   numbers       from hypercalls.tbl, include/torc/hypercalls.h: a number for each call
#   dispatch      from the same, the hypervisor's table and the prototypes of its handlers
#   prototypes    from the same, the guest's inline functions
#   instructions  from instructions.tbl, include/torc/instructions.h
#   doc           from both tables and then abi.md.in, docs/abi.md

function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

FILENAME ~ /\.in$/ {
	if ($0 == "@HYPERCALLS@") document()
	else if ($0 == "@INSTRUCTIONS@") document_instructions()
	else print
	next
}

/^#/ || /^$/ { next }

FILENAME ~ /instructions\.tbl$/ && /^[ \t]+use / {
	sub(/^[ \t]+use /, "")
	use[insns] = $0
	next
}

FILENAME ~ /instructions\.tbl$/ && /^[ \t]/ {
	sub(/^[ \t]+/, "")
	effect[insns] = effect[insns] (effect[insns] == "" ? "" : " ") $0
	next
}

FILENAME ~ /instructions\.tbl$/ {
	if ($1 != ++insns) fail("number " insns " is missing")
	id[insns] = $2
	outcome[insns, 1] = $3
	outcome[insns, 3] = $4
	if (!($3 in outcomes)) fail("bad outcome " $3)
	if (!($4 in outcomes)) fail("bad outcome " $4)
	mnemonics[insns] = $5
	for (i = 6; i <= NF; i++) mnemonics[insns] = mnemonics[insns] " " $i
	next
}

/^[ \t]/ {
	sub(/^[ \t]+/, "")
	doc[n] = doc[n] (doc[n] == "" ? "" : " ") $0
	next
}

{
	n++
	if ($1 !~ /^0x[0-9a-f][0-9a-f]$/) fail("bad number " $1)
	if ($3 != "active" && $3 != "reserved") fail("bad state " $3)
	if ($1 in seen) fail("number " $1 " twice")
	seen[$1] = 1
	number[n] = $1; name[n] = $2; state[n] = $3; args[n] = 0
	for (i = 4; i <= NF; i++) {
		if ($i == "->") { split($(++i), part, ":"); rax[n] = part[1]; rax_unit[n] = part[2]; continue }
		if ($i ~ /^\[.*\]$/) { attribute($i); continue }
		if ($i == "=>") { split($(++i), part, ":"); rdx[n] = part[1]; rdx_unit[n] = part[2]; continue }
		if (!match($i, /:/)) fail("argument without unit: " $i)
		args[n]++
		arg[n, args[n]] = substr($i, 1, RSTART - 1)
		unit[n, args[n]] = substr($i, RSTART + 1)
	}
	if (args[n] > 6) fail("more than six arguments")
}

# [lock], or [PRIVILEGE] with | between several that do.
function attribute(text,   name) {
	gsub(/[][]/, "", text)
	if (text == "lock") { locked[n] = 1; return }
	if (text !~ /^[A-Z|]+$/) fail("bad attribute " text)
	needs[n] = text
}

# What it needs, as an expression in C.
function privileges(i,   text) {
	text = "TORC_PRIVILEGE_" needs[i]
	gsub(/\|/, " | TORC_PRIVILEGE_", text)
	return text
}

function banner(licence, table) {
	print "/* SPDX-License-Identifier: " licence " */"
	print "/* Copyright (c) 2026 The Torc authors */"
	print "/* Made from abi/" table " by abi/generate.awk: edit that table. */"
}

function numbers(   i) {
	banner("MIT", "hypercalls.tbl")
	print "#ifndef TORC_HYPERCALLS_H\n#define TORC_HYPERCALLS_H\n"
	for (i = 1; i <= n; i++)
		printf "#define TORC_HC_%s %s\n", toupper(name[i]), number[i]
	printf "\n/* One more than the highest number. */\n#define TORC_HC_COUNT (%s + 1)\n\n#endif\n", number[n]
}

function dispatch(   i, j) {
	banner("BSD-2-Clause", "hypercalls.tbl")
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "s64 hc_%s(struct vcpu *vcpu", name[i]
		for (j = 1; j <= args[i]; j++) printf ", u64 %s", arg[i, j]
		if (rdx[i] != "") printf ", u64 *%s", rdx[i]
		print ");"
	}
	print ""
	print "static inline s64 hypercall_dispatch(struct vcpu *vcpu, struct regs *regs)\n{"
	print "\ts64 result;\n"
	print "\tswitch (regs->rax) {"
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "\tcase TORC_HC_%s:\n", toupper(name[i])
		if (needs[i] != "")
			printf "\t\tif (!(vcpu->domain->privileges & (%s)))\n\t\t\treturn TORC_EPERM;\n", privileges(i)
		if (locked[i]) print "\t\tlock_take(&vcpu->domain->lock);"
		printf "\t\tresult = hc_%s(vcpu", name[i]
		for (j = 1; j <= args[i]; j++) printf ", regs->%s", reg[j]
		if (rdx[i] != "") printf ", &regs->rdx"
		print ");"
		if (locked[i]) print "\t\tlock_drop(&vcpu->domain->lock);"
		print "\t\treturn result;"
	}
	print "\tdefault:\n\t\treturn TORC_ENOSYS;\n\t}\n}"
}

function prototypes(   i, j) {
	banner("MIT", "hypercalls.tbl")
	print "#ifndef TORC_CALLS_H\n#define TORC_CALLS_H\n\n#include <torc/call.h>"
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "\n/**\n * torc_%s - %s\n", name[i], doc[i]
		for (j = 1; j <= args[i]; j++) printf " * @%s: %s\n", arg[i, j], unit[i, j]
		if (rdx[i] != "") printf " * @%s: receives RDX: %s\n", rdx[i], rdx_unit[i]
		if (rax[i] != "") printf " * Return: %s (%s) or a TORC_E* error.\n */\n", rax[i], rax_unit[i]
		else print " * Return: TORC_OK or a TORC_E* error.\n */"
		printf "static inline int64_t torc_%s(", name[i]
		if (args[i] == 0 && rdx[i] == "") printf "void"
		for (j = 1; j <= args[i]; j++) printf "%suint64_t %s", (j > 1 ? ", " : ""), arg[i, j]
		if (rdx[i] != "") printf "%suint64_t *%s", args[i] ? ", " : "", rdx[i]
		printf ")\n{\n\treturn torc_call(TORC_HC_%s", toupper(name[i])
		for (j = 1; j <= 4; j++) printf ", %s", (j <= args[i] ? arg[i, j] : "0")
		printf ", %s);\n}\n", rdx[i] != "" ? rdx[i] : "NULL"
	}
	print "\n#endif"
}

function wanted(i,   text) {
	text = needs[i]
	gsub(/\|/, " or ", text)
	return text == "" ? "" : ", needs " text
}

function document(   i, j, list) {
	print "| number | call | arguments | RAX / RDX on success | what it does |"
	print "| --- | --- | --- | --- | --- |"
	for (i = 1; i <= n; i++) {
		list = ""
		for (j = 1; j <= args[i]; j++)
			list = list ((j > 1 ? ", " : "")) arg[i, j] " (" unit[i, j] ")"
		printf "| `%s` | `%s`%s | %s | %s%s | %s |\n", number[i], name[i], \
			 \
			state[i] == "reserved" ? " (reserved)" : wanted(i), list == "" ? "-" : list, \
			rax[i] != "" ? rax[i] " (" rax_unit[i] ")" : "0", \
			rdx[i] != "" ? " / " rdx[i] " (" rdx_unit[i] ")" : "", doc[i]
	}
}

# The name of an outcome in C.
function constant(i, ring,   text) {
	text = toupper(outcome[i, ring])
	gsub(/-/, "_", text)
	return text
}

function instructions(   i, row) {
	banner("MIT", "instructions.tbl")
	print "#ifndef TORC_INSTRUCTIONS_H\n#define TORC_INSTRUCTIONS_H\n"
	print "/* Numbers of the census. 0 stands for what did not fit in it. */"
	for (i = 1; i <= insns; i++)
		printf "#define TORC_INSN_%s %d\n", id[i], i
	printf "#define TORC_INSN_COUNT %d\n\n", insns + 1
	print "/* X(id, what it does in ring 1, in ring 3, name); instructions.tbl explains the outcomes. */"
	print "#define TORC_INSTRUCTIONS(X) \\"
	for (i = 1; i <= insns; i++) {
		row = sprintf("\tX(%s, %s, %s,", id[i], constant(i, 1), constant(i, 3))
		if (length(row) + length(mnemonics[i]) > 80) row = row " \\\n\t "
		printf "%s \"%s\")%s\n", row, mnemonics[i], i < insns ? " \\" : ""
	}
	print "\n#endif"
}

function meaning(i, ring) {
	return outcomes[outcome[i, ring]]
}

function document_instructions(   i) {
	print "| number | instruction | ring 1 | ring 3 | what it does in ring 1 | what a kernel uses |"
	print "| --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= insns; i++)
		printf "| %d | %s | %s | %s | %s | %s |\n", i, mnemonics[i], meaning(i, 1), \
			meaning(i, 3), effect[i], use[i]
}

BEGIN {
	outcomes["emulated"] = "emulated"
	outcomes["checked"] = "emulated or #GP"
	outcomes["gp"] = "#GP"
	outcomes["ud"] = "#UD"
	outcomes["gp-ud"] = "#GP or #UD"
	outcomes["umip"] = "runs, or #GP by UMIP"
	outcomes["runs"] = "runs"
	outcomes["runs-ud"] = "runs, or #UD"
	outcomes["operand"] = "runs or faults"
	outcomes["enters"] = "enters"
	split("rdi rsi rdx r10 r8 r9", reg, " ")
}

END {
	if (failed) exit 1
	if (mode == "numbers") numbers()
	else if (mode == "dispatch") dispatch()
	else if (mode == "prototypes") prototypes()
	else if (mode == "instructions") instructions()
	else if (mode == "doc") exit 0
	else fail("unknown mode " mode)
}
