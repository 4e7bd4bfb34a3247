/** Events of a shop as its tracker sends them: 13 fields, one of them an object and one a list, about 400 bytes. */
const TYPES = ['page_view', 'click', 'add_to_cart', 'purchase', 'search', 'login']
const COUNTRIES = ['US', 'DE', 'FR', 'GB', 'IN', 'BR', 'JP', 'CA', 'AU', 'NL', 'ES', 'IT']
const SYSTEMS = ['iOS', 'Android', 'Windows', 'macOS', 'Linux']
const TAGS = ['promo', 'mobile', 'beta', 'vip', 'returning', 'newsletter', 'organic', 'paid']
const WIDTHS = [360, 390, 414, 768, 1280, 1440, 1920]
const START = Date.UTC(2026, 0, 1)

/** The same events each time, from a fixed seed (xorshift32). */
export function clicks(count: number): string[] {
  let state = 0x9e3779b9 | 0
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const hex = (digits: number): string => Array.from({ length: digits }, () => below(16).toString(16)).join('')

  return Array.from({ length: count }, (_, i) => {
    const type = pick(TYPES)
    const ts = START + i * 3 + below(2000)
    return JSON.stringify({
      event_id: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
      user_id: 1_000_000 + below(200_000),
      session_id: `sess_${hex(16)}`,
      event_type: type,
      ts,
      received_at: new Date(ts + below(5000)).toISOString(),
      page_url: `https://shop.example.com/category/${below(20)}/product-${1000 + below(400) * 7}?ref=${below(50)}`,
      country: pick(COUNTRIES),
      amount: type === 'purchase' || type === 'add_to_cart' ? below(50_000) / 100 : null,
      quantity: below(10),
      success: random() < 0.97,
      device: {
        os: pick(SYSTEMS),
        version: `${10 + below(8)}.${below(5)}`,
        screen_w: random() < 0.8 ? pick(WIDTHS) : null,
      },
      tags: Array.from({ length: below(4) }, () => pick(TAGS)),
    })
  })
}
