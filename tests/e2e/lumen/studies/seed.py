"""A day of two vascular laboratories. All patients are fictitious."""

import datetime

from django.utils import timezone

from lumen.studies.models import Study

CAROTID = "Carotid duplex"
VENOUS = "Lower extremity venous duplex"
ARTERIAL = "Ankle-brachial index, arterial duplex"
AORTA = "Abdominal aorta duplex"
ACCESS = "Dialysis access duplex"

CAROTID_FINDINGS = (
    "Right: heterogeneous plaque at the carotid bulb. ICA peak systolic velocity 142 cm/s, end-diastolic 38 cm/s, ICA/CCA ratio 2.1.\n"
    "Left: mild intimal thickening. ICA peak systolic velocity 88 cm/s, end-diastolic 26 cm/s, ICA/CCA ratio 1.1.\n"
    "Both vertebral arteries: antegrade flow.")
VENOUS_FINDINGS = (
    "Right: common femoral, femoral and popliteal veins compress fully; flow is spontaneous and phasic.\n"
    "Left: the popliteal vein does not compress; echogenic thrombus over 4 cm, no flow on augmentation. Femoral veins patent.")
AORTA_FINDINGS = "Infrarenal aorta 3.4 cm in greatest diameter, mural thrombus along the anterior wall. Iliac arteries of normal calibre."

# number, clinic, hour, minute, patient, born, record, exam, indication, findings, impression
DAY = [
    (2041, "North", 8, 0, "Helen Marsh", "1951-03-14", "N-40187", CAROTID, "Right cervical bruit", CAROTID_FINDINGS, ""),
    (2042, "North", 8, 30, "Osei Boateng", "1967-11-02", "N-40922", VENOUS, "Left calf swelling for three days", VENOUS_FINDINGS, ""),
    (2043, "North", 9, 15, "Ingrid Solheim", "1944-07-29", "N-38810", AORTA, "Follow-up of a known aneurysm", AORTA_FINDINGS,
     "Infrarenal aortic aneurysm of 3.4 cm, unchanged. Follow-up in twelve months."),
    (2044, "North", 10, 0, "Victor Almeida", "1959-01-08", "N-41203", ARTERIAL, "Claudication after 200 m", "", ""),
    (2045, "North", 10, 45, "Priya Raman", "1978-05-21", "N-41377", ACCESS, "Reduced flow at dialysis", "", ""),
    (2046, "North", 11, 30, "George Whitfield", "1938-12-11", "N-36054", CAROTID, "Transient loss of vision, left", "", ""),
    (2061, "South", 8, 15, "Marta Kowalska", "1962-09-17", "S-22019", VENOUS, "After hip replacement", VENOUS_FINDINGS, ""),
    (2062, "South", 9, 0, "Daniel Iyer", "1970-02-25", "S-22476", ARTERIAL, "Non-healing ulcer, right foot", "", ""),
    (2063, "South", 10, 30, "Agnes Petit", "1949-06-05", "S-20751", CAROTID, "Before coronary bypass", "", ""),
]
TECHNOLOGIST = {"North": "Toni Okafor", "South": "Tomas Ruiz"}
DOCTOR = {"North": "Dana Weiss", "South": "Dmitri Laurent"}


def seed():
    """Fills an empty database."""
    today = timezone.now().replace(second=0, microsecond=0)
    for number, clinic, hour, minute, patient, born, record, exam, indication, findings, impression in DAY:
        at = today.replace(hour=hour, minute=minute)
        Study.objects.create(
            number=number, clinic=clinic, scheduled_at=at, patient=patient, born=born, record_number=record, exam=exam, indication=indication,
            findings=findings, performed_by=TECHNOLOGIST[clinic] if findings else "", impression=impression,
            signed_by=DOCTOR[clinic] if impression else "", signed_at=at + datetime.timedelta(minutes=50) if impression else None,
            state=Study.State.SIGNED if impression else Study.State.PERFORMED if findings else Study.State.SCHEDULED)
