"""Why a rule book refuses a row, in Chinese: owns the sentence for each kind of refusal.

The books (control.domain.dated and the sets of rows) refuse in English; the kind is told by what their sentence
says, and the figures in it are kept.
"""

from __future__ import annotations

import re

_KINDS = (
    (r"was edited; end it", "已有的行不能改动：请先结束它，再另起一行。"),
    (r" is gone; rows are ended", "已有的行不能删除，只能结束。"),
    (r" leave a gap\.$", "同一条规则的两行之间有空档：前一行结束之日须是后一行开始之日。"),
    (r" overlap\.$", "同一条规则的两行日期重叠：前一行结束之日须是后一行开始之日。"),
    (r"would end on (\S+) and change past days", "这一行会在 {0} 结束，改变已过去的日子；请在今天或以后结束。"),
    (r"ends before it begins", "结束日期早于开始日期。"),
    (r"holds from (\S+) to further notice; a new row begins after", "现有一行自 {0} 起有效；新的一行须在其后开始。"),
    (
        r"holds from (\S+) to (\S+); a new row begins after",
        "最后一行自 {0} 至 {1} 有效，已有结束日期。",
    ),
    (r"there is no such key", "规则书没有这个键。"),
    (r"a row without a source is refused", "缺少来源：每一行都要写明来源。"),
    (r"the new value is missing", "缺少新值。"),
    (r"`(\w+)` is missing or no day|`(\w+)` is no day", "“{0}”须是日期。"),
    (r"`(\w+)` is missing", "缺少“{0}”，须填写文字。"),
    (r"there is no field '(\w+)' to change", "没有可改的字段“{0}”。"),
    (r"`(\w+)` (?:is|must be) (?:a )?whole number, not (.+)\.$", "“{0}”须是整数，不能是 {1}。"),
    (r"`(\w+)` (?:is|must be) true or false, not (.+)\.$", "“{0}”须是 true 或 false，不能是 {1}。"),
    (r"`(\w+)` must be a (?:finite )?number, not (.+)\.$", "“{0}”须是数字，不能是 {1}。"),
    (r"`(\w+)` is no number: (.+)\.$", "“{0}”须是数字，不能是 {1}。"),
    (r"`(\w+)`: (.+) is (?:no number|not finite|beyond any quantity)\.$", "“{0}”须是有限的数字，不能是 {1}。"),
    (r"`(\w+)` is negative: (.+)\.$", "“{0}”不能是负数 {1}。"),
    (r"`(\w+)` must (?:be one|list some) of (.+), not (.+)\.$", "“{0}”须取自 {1}，不能是 {2}。"),
    (r"`(\w+)` (\S+) is beyond belief;.* between (\S+) and (\S+)\.$", "“{0}”为 {1}，超出范围：须在 {2} 与 {3} 之间。"),
    (r": (\S+) g a \S+ is beyond belief;.* at most (\S+) are\.$", "每单位 {0} 克超出范围：须大于 0，至多 {1} 克。"),
    (r"`(\w+)` must be more than 0 and at most (\S+), not (\S+)\.$", "“{0}”须大于 0，至多 {1}，不能是 {2}。"),
    (r"project's value must lie between 0 and the baseline", "项目值须在 0 与基准值之间，否则没有减排。"),
    (r"`cap_day_g` differs from (\S+)'s on (\S+?);", "每日上限与 {0} 在 {1} 的不同；同一场景须一致。"),
)


def in_chinese(detail: str) -> str:
    """The Chinese sentence for what a book said; of no known kind, what it said is quoted."""
    for pattern, sentence in _KINDS:
        found = re.search(pattern, detail)
        if found:
            return sentence.format(*(one for one in found.groups() if one is not None))
    return f"规则书不接受这一行，原文为：{detail}"
