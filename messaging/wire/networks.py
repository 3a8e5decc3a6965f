"""A mobile network as a report names it: country code and network code (MCC and MNC), kept in one small number.

404 says the country's code alone, as where the vendor sends -1 for the network; 404001 is network 1 of 404. How many
digits an MNC is written with is not told: it is shown with two, as most are.
"""

NONE = 0


def number_of(mcc: str, mnc: str) -> int | None:
    """None where the report names no network, or one that cannot be."""
    if not (mcc.isascii() and mcc.isdecimal() and 200 <= int(mcc) <= 999):
        return None
    if mnc.isascii() and mnc.isdecimal() and int(mnc) <= 999:
        return int(mcc) * 1000 + int(mnc)
    return int(mcc)


def shown(network: int | None) -> str:
    """`404-01`, or `404` where only the country's code is known; "" where nothing is."""
    if not network:
        return ""
    return str(network) if network < 1000 else f"{network // 1000}-{network % 1000:02d}"
