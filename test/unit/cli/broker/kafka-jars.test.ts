import { jarsName } from '#shared/cli/broker/kafka-jars.ts'

const POM = '<project><kafka.version>4.4.0</kafka.version><version>2.25.5</version></project>'

test('another version of anything is another folder', () => {
  const name = jarsName(POM)

  expect(name).toMatch(/^kafka-4\.4\.0-[0-9a-f]{8}$/)
  expect(jarsName(POM)).toBe(name)
  expect(jarsName(POM.replace('2.25.5', '2.25.6'))).not.toBe(name)
})
